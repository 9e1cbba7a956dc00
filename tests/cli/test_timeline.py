"""``emoclip timeline`` as a user meets it."""

from __future__ import annotations

import csv
import json

import av
import pytest

# Classify


def test_table(emoclip, tiny, crop_video):
    code, out, err = emoclip("timeline", crop_video, *tiny, "--window", "1", "--step", "0.5")
    assert code == 0 and err == ""
    assert [line.split()[1] for line in out.splitlines()[2:5]] == ["0.00", "0.50", "1.00"]


def test_files(emoclip, tiny, crop_video, tmp_path):
    arguments = ("timeline", crop_video, *tiny, "--window", "1", "--step", "1")
    code, out, err = emoclip(*arguments, "-o", tmp_path / "out.csv")
    assert code == 0 and out == "" and "2 rows" in err
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    code, out, _ = emoclip(*arguments, "--json", "-o", tmp_path / "out.json")
    assert json.loads(out) == json.loads((tmp_path / "out.json").read_text())
    _, out, _ = emoclip(*arguments, "--csv")
    assert out == (tmp_path / "out.csv").read_text()


def test_files_of_several_kinds(emoclip, tiny, crop_video, tmp_path):
    files = [tmp_path / f"out.{ending}" for ending in ("csv", "vtt", "TextGrid")]
    wanted = [part for file in files for part in ("-o", file)]
    code, out, err = emoclip("timeline", crop_video, *tiny, *wanted)
    assert code == 0 and out == "" and err.count("wrote") == 3
    assert all(file.stat().st_size for file in files)


def test_plot(emoclip, tiny, crop_video, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = emoclip("timeline", crop_video, *tiny, "--plot", tmp_path / "out.png")
    assert code == 0 and out == "" and (tmp_path / "out.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--window", "0"],
        ["--step", "-1"],
        ["--step", "nan"],
        ["-o", "out.txt"],
        ["--json", "--csv"],
    ],
)
def test_wrong_usage(emoclip, crop_video, arguments):
    assert emoclip("timeline", crop_video, *arguments)[0] == 2


def test_failures(emoclip, tiny, crop_video, tmp_path):
    code, out, err = emoclip("timeline", "missing.mp4", *tiny)
    assert (code, out, err) == (1, "", "Error: missing.mp4: no such file or folder\n")
    code, _, err = emoclip("timeline", crop_video, *tiny, "-o", tmp_path / "no" / "out.csv")
    assert code == 1 and "can't be written" in err


def test_a_part(emoclip, tiny, crop_video, tmp_path):
    part = ("--start", "0.8", "--end", "1.6")  # of two seconds
    code, out, _ = emoclip("timeline", crop_video, *tiny, "--json", "--step", "0.5", *part)
    rows = json.loads(out)["rows"]
    assert code == 0 and [rows[0]["start"], rows[-1]["end"]] == [0.8, 1.6]
    code, out, _ = emoclip("classify", crop_video, *tiny, "--json", *part)
    assert code == 0 and json.loads(out)[0]["duration"] == 1.6
    code, _, err = emoclip("annotate", crop_video, *tiny, "-o", tmp_path / "out.mp4", *part)
    with av.open(str(tmp_path / "out.mp4")) as file:
        assert code == 0 and sum(1 for _ in file.decode(video=0)) == 20  # of 25 a second
    code, _, err = emoclip("timeline", crop_video, *tiny, "--start", "3")
    assert code == 1 and "ends at 2 s, before the start at 3" in err
    code, _, err = emoclip("timeline", crop_video, *tiny, "--start", "2", "--end", "1")
    assert code == 2 and "end=1.0 must be after start=2" in err


def test_dynamics_per_trial(emoclip, tiny, crop_video, tmp_path):
    trials, out, pairs = (tmp_path / name for name in ("trials.csv", "out.csv", "pairs.json"))
    trials.write_text("start,end,name\n0.2,1.4,one\n1.4,2,two\n")
    arguments = ("timeline", crop_video, *tiny, "--window", "0.4", "--step", "0.2")
    asked = ("--features", out, "--events", trials, "--threshold", "0", "--synchrony", pairs)
    code, text, err = emoclip(*arguments, *asked, "--labels", "happiness,anger")
    assert (code, text) == (0, "") and "out.csv: 2 rows" in err
    first, second = csv.DictReader(out.open())
    assert (first["event"], first["seconds"], second["seconds"]) == ("one", "1.2", "0.6")
    # Every score is at or above 0.
    assert (first["episodes:anger"], first["episode_seconds:anger"]) == ("1", "1.2")
    assert float(first["mean:anger"]) + float(first["mean:happiness"]) == pytest.approx(1, abs=1e-5)
    assert json.loads(pairs.read_text())["rows"] == [], "there is one face"
    for wrong, option in (
        (("--events", trials), "--events"),
        (("--features", out, "--tier", "a"), "--tier"),
        (("--features", tmp_path / "out.txt"), "--features"),
        (("--features", trials, "--events", trials), "--features"),
    ):
        code, _, err = emoclip(*arguments, *wrong)
        assert code == 2 and option in err


def test_who_speaks(emoclip, tiny, crop_video, tmp_path):
    said, out = tmp_path / "said.rttm", tmp_path / "out.csv"
    said.write_text(
        "SPEAKER x 1 0.25 0.5 <NA> <NA> A <NA> <NA>\nSPEAKER x 1 1.2 0.3 <NA> <NA> B <NA> <NA>\n"
    )
    arguments = ("timeline", crop_video, *tiny, "--window", "0.5", "--step", "0.5")
    asked = ("--speech", said, "--labels", "joy,fear")
    # 0.25 to 0.75 s and 1.2 to 1.5 s, in windows of half a second.
    assert emoclip(*arguments, *asked, "-o", out)[0] == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["speaking"] for row in rows] == ["0.5", "0.5", "0.6", "0.0"]
    assert [row["speaker"] for row in rows] == ["A", "A", "B", ""]
    code, text, _ = emoclip(*arguments, *asked, "--silent", "--speaker", "A", "--csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["reason"] for row in rows] == ["speech", "speech", "", ""]
    assert [row["score:joy"] == "" for row in rows] == [True, True, False, False]
    assert emoclip(*arguments, *asked, "--silent", "-o", out)[0] == 0
    assert [row["reason"] for row in csv.DictReader(out.open())] == ["speech"] * 3 + [""]
    features = tmp_path / "features.csv"
    asked = (*asked, "--silent", "--speaker", "0=B", "--features", features)
    assert emoclip(*arguments, *asked)[0] == 0
    (face,) = csv.DictReader(features.open())
    assert (face["seconds"], face["speaking"]) == ("1.5", "0.15")
    (tmp_path / "bad.srt").write_text("x")
    for wrong, complaint in (
        (("--silent",), "is for --speech"),
        (("--speech", said, "--speaker", "C"), "there are: A, B"),
        (("--speech", said, "--speaker", "A", "--speaker", "0=B"), "either names"),
        (("--speech", tmp_path / "bad.srt"), "holds no cues"),
        (("--speech", tmp_path / "no.rttm"), "does not exist"),
        (("--speech", said, "-o", said), "-o"),
    ):
        code, _, err = emoclip(*arguments, *wrong)
        assert code == 2 and complaint in " ".join(err.replace("│", " ").split()), err
