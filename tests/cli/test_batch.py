"""``emoclip batch`` as a user meets it."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from emoclip_sdk.cli import main

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def batch(monkeypatch, capsys, tiny_checkpoint):
    """Run the command in this process; returns exit code and standard error."""

    def run(*arguments):
        given = ["emoclip", "batch", *map(str, arguments), "--model", str(tiny_checkpoint)]
        monkeypatch.setattr(sys, "argv", [*given, "--device", "cpu", "--faces", "none"])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err and out == ""
        return end.value.code or 0, err

    return run


def test_batch(batch, crop_video, tmp_path):
    out = tmp_path / "o.parquet"
    arguments = ("-o", out, "--labels", "joy,fear", "--compound", "wry=joy+fear", "--workers", "1")
    code, err = batch(crop_video, "missing.mp4", *arguments)
    assert code == 1 and "2 videos, 0 without a face, 1 failed" in err
    assert "missing.mp4: no such file or folder" in err
    good, bad = pq.read_table(out).to_pylist()
    assert (good["source"], good["status"], bad["status"]) == (str(crop_video), "ok", "failed")
    assert [key for key in good if key.startswith("score:")] == [
        "score:joy",
        "score:fear",
        "score:wry",
    ]
    code, err = batch(crop_video, *arguments)
    assert code == 0 and "1 were done before" in err
    code, err = batch(crop_video, "-o", out, "--labels", "joy")
    assert code == 2 and "other settings" in err and "--overwrite" in err
    code, err = batch(crop_video, "-o", out, "--labels", "joy", "--overwrite", "--track", "all")
    assert code == 0 and pq.read_table(out).num_rows == 1


def test_a_table_for_a_spreadsheet(batch, crop_video, tmp_path):
    study, out = tmp_path / "study.csv", tmp_path / "out.csv"
    begin = f"video;name;start;end\n{crop_video};Zoë;0,4;1,4\n"
    study.write_text(begin, encoding="utf-8-sig")
    arguments = (study, "-o", out, "--labels", "joy,fear", "--workers", "1")
    assert batch(*arguments)[0] == 0
    (row,) = csv.DictReader(out.open(encoding="utf-8-sig"))
    assert (row["name"], row["start"], row["duration"]) == ("Zoë", "0,4", "1.4")
    assert row["n_frames"] == "7" and row["error"] == row["reason"] == ""
    assert float(row["score:joy"]) + float(row["score:fear"]) == pytest.approx(1)
    study.write_text(begin + "missing.mp4;=1+1;;\n", encoding="utf-8-sig")
    code, err = batch(*arguments)
    assert code == 1 and "1 were done before" in err
    first, failed = csv.DictReader(out.open(encoding="utf-8-sig"))
    assert first == row
    assert (failed["status"], failed["name"], failed["face_found"]) == ("failed", "'=1+1", "")
    (tmp_path / "out.csv.parquet").unlink()
    code, err = batch(*arguments)
    assert code == 2 and "is there already" in err and "--overwrite" in err
    assert batch(study, "-o", study)[0] == 2 and study.read_text("utf-8-sig").startswith(begin)


def test_windows_and_trials(batch, no_processes, crop_video, tmp_path):
    """The same two commands as on the page: a row per window, a row per trial."""
    study, trials = tmp_path / "study.csv", tmp_path / "trials.csv"
    study.write_text(f"path,participant,baseline_for\n{crop_video},p1,p1\n")
    trials.write_text("start,end,name\n0,00:00:01,one\n0.5,1.5,two\n")
    options = ("--labels", "joy,fear", "--workers", "1")
    out = tmp_path / "w.parquet"
    code, err = batch(study, "--window", "1", "--step", "0.5", "-o", out, *options)
    assert code == 0 and "1 video, 0 without a face, 0 failed" in err
    rows = pq.read_table(out).to_pylist()
    assert [(row["start"], row["first_frame"]) for row in rows] == [(0, 0), (0.5, 14), (1, 25)]
    assert {row["participant"] for row in rows} == {"p1"}
    assert sum(row["change:joy"] for row in rows) == pytest.approx(0)
    out = tmp_path / "t.csv"
    code, err = batch(crop_video, "--events", trials, "--step", "0.5", "-o", out, *options)
    assert code == 0
    rows = list(csv.DictReader(out.open()))
    assert [(row["event"], row["start"], row["end"]) for row in rows] == [
        ("one", "0.0", "1.0"),
        ("two", "0.5", "1.5"),
    ]
    assert float(rows[0]["mean:joy"]) + float(rows[0]["mean:fear"]) == pytest.approx(1, abs=1e-5)
    assert batch(crop_video, "--events", trials, "-o", trials, *options)[0] == 2
    assert trials.read_text().startswith("start,end,name")


def test_a_folder_of_photos_is_asked_for(batch, no_processes, tmp_path):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (48, 48), (90, 120, 150)).save(tmp_path / "photos" / "a.png")
    arguments = (tmp_path / "photos", "-o", tmp_path / "o.csv", "--labels", "joy,fear")
    code, err = batch(*arguments)
    words = " ".join(err.replace("│", " ").split())
    assert code == 2 and "--as pictures" in words and "--as video" in words
    assert batch(*arguments, "--as", "pictures", "--workers", "1")[0] == 0
    (row,) = csv.DictReader((tmp_path / "o.csv").open())
    assert row["source"].endswith("a.png") and row["duration"] == "0.0"


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["a.mp4", "-o", "o.csv", "--window", "0"], "not a positive number"),
        (["a.mp4", "-o", "o.csv", "--tier", "x"], "are for events"),
        (["a.mp4", "-o", "o.txt"], "does not end in .csv, .jsonl, .parquet, .xlsx"),
        (["a.mp4", "-o", "o.parquet", "--address", "auto"], "is for --engine ray"),
        (["a.mp4", "-o", "o.parquet", "--workers", "0"], "--workers"),
        (["a.mp4", "-o", "o.parquet", "--track", "best"], "--track"),
        (["list.csv", "-o", "o.parquet"], "list.csv"),
        (["a.mp4"], "--output"),
    ],
)
def test_wrong_usage(batch, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    code, err = batch(*arguments)
    assert code == 2 and complaint in err
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(batch, crop_video, tiny_checkpoint, tmp_path):
    (tmp_path / "v").mkdir()
    for i in range(300):
        shutil.copy(crop_video, tmp_path / "v" / f"{i:03d}.mp4")
    out = tmp_path / "o.parquet"
    options = ["--model", tiny_checkpoint, "--device", "cpu", "--faces", "none", "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "emoclip_sdk", "batch", tmp_path / "v", "-o", out, *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not out.with_name("o.parquet.parts").is_dir():
        time.sleep(0.02)
    time.sleep(0.7)
    os.killpg(process.pid, signal.SIGINT)
    printed, err = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "") and "Traceback" not in err
    assert "of 300 videos are done; the same command goes on from there" in err
    done = int(err.split("stopped: ")[1].split()[0])
    kept = sum(pq.read_table(p).num_rows for p in tmp_path.glob("o.parquet.parts/*.parquet"))
    assert not out.exists() and kept == done
