"""``emoclip actions`` as a user meets it."""

from __future__ import annotations

import csv
import json

import av
import pytest
from builders import write_video

from emoclip_sdk.assets import asset


@pytest.fixture(scope="module")
def smile(tmp_path_factory):
    """Half a second of a face crop."""
    with av.open(str(asset("portrait.mp4"))) as container:
        rgb = next(container.decode(video=0)).to_ndarray(format="rgb24")
    path = tmp_path_factory.mktemp("videos") / "smile.mp4"
    return write_video(path, [rgb[50:162, 138:250]] * 5, fps=10)


def test_the_strongest_actions_are_printed(emoclip, tiny, smile):
    code, out, err = emoclip("actions", smile, *tiny)
    assert code == 0 and err == ""
    assert "mouthSmile" in out and str(smile) in out and "browDown" not in out


def test_a_table_of_several_videos(emoclip, tiny, smile, broken, tmp_path):
    table = tmp_path / "out.csv"
    code, out, err = emoclip("actions", smile, broken, smile, *tiny, "--rate", "all", "-o", table)
    assert code == 1 and out == "" and "broken.mp4" in err and "wrote" in err
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == [str(smile)] * 10
    assert [row["frame"] for row in rows] == list("01234") * 2
    assert all(float(row["mouthSmileLeft"]) > 0.3 for row in rows)


def test_a_manifest(emoclip, tiny, no_processes, smile, broken, tmp_path):
    """All of a study in one table, with what the manifest says; it goes on where it stopped."""
    manifest, table = tmp_path / "study.csv", tmp_path / "out.csv"
    manifest.write_text(f"path;participant\n{smile};p1\n{broken};p2\n")
    arguments = ("actions", manifest, *tiny, "--rate", "all", "-o", table, "--workers", "1")
    code, out, err = emoclip(*arguments)
    assert code == 1 and out == "" and "2 videos, 0 without a face, 1 failed" in err
    rows = list(csv.DictReader(table.open()))
    assert [row["participant"] for row in rows] == ["p1"] * 5 + ["p2"]
    assert [row["frame"] for row in rows] == [*"01234", ""]
    assert rows[-1]["status"] == "failed" and "not a video" in rows[-1]["error"]
    code, _, err = emoclip(*arguments)
    assert code == 1 and "2 were done before" in err
    assert emoclip("actions", manifest, *tiny)[0] == 2
    assert emoclip("actions", smile, *tiny, "--workers", "1")[0] == 2


def test_documents(emoclip, tiny, smile, tmp_path):
    code, out, _ = emoclip("actions", smile, *tiny, "--json", "--rate", "5", "--track", "prominent")
    (result,) = json.loads(out)
    assert code == 0 and [row["frame"] for row in result["rows"]] == [0, 2, 4]
    file = tmp_path / "one.json"
    assert emoclip("actions", smile, *tiny, "-o", file, "--landmarks")[0] == 0
    assert len(json.loads(file.read_text())["rows"][0]["landmarks"]) == 478


def test_nothing_is_written_where_nothing_was_read(emoclip, tiny, broken, tmp_path):
    table = tmp_path / "out.csv"
    code, _, err = emoclip("actions", broken, *tiny, "-o", table)
    assert code == 1 and len(err.splitlines()) == 1
    assert list(tmp_path.glob("out*")) == []


@pytest.mark.parametrize(
    "arguments",
    [("--rate", "often"), ("--rate", "0"), ("-o", "a.srt"), ("--json", "--csv"), ("--track", "x")],
)
def test_wrong_usage(emoclip, tiny, smile, arguments):
    assert emoclip("actions", smile, *tiny, *arguments)[0] == 2
    assert emoclip("actions", smile, smile, *tiny, "-o", "a.json")[0] == 2
