"""Files that are written whole or not at all."""

from __future__ import annotations

import os

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.export.files import atomic_write, check_output, plain_text


def test_a_file_takes_its_name_when_it_is_whole(tmp_path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with atomic_write(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_part(tmp_path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path) -> None:
    with (
        pytest.raises(EmoCLIPError, match=r"out\.csv: can't be written"),
        atomic_write(tmp_path / "no" / "out.csv") as part,
    ):
        part.write_text("new")


def test_text_that_every_format_can_hold() -> None:
    assert plain_text("a\x00b\n c\ud800\ufffe\td\U0001f600") == "ab c d\U0001f600"


def test_an_output_is_no_input_under_any_of_its_names(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_text("mine")
    os.link("a.png", "hard.png")
    os.symlink("a.png", "soft.png")
    os.symlink(tmp_path, "elsewhere")
    for name in ("a.png", "./x/../a.png", tmp_path / "a.png", "hard.png", "soft.png"):
        with pytest.raises(EmoCLIPError, match="overwritten"):
            check_output(name, ["b.mp4", tmp_path / "a.png", None, b"bytes"])
    with pytest.raises(EmoCLIPError, match="overwritten"):
        check_output("elsewhere/a.png", ["a.png"])
    with pytest.raises(EmoCLIPError, match="overwritten"):
        check_output("clip.csv", ["clip.csv.part"])  # what is written first
    with pytest.raises(EmoCLIPError, match="twice"):
        check_output("out.png", ["a.png"], ["x.csv", "elsewhere/out.png"])
    check_output("b.png", ["a.png", "missing.mp4"], ["c.png"])


def test_a_picture_joins_no_folder_of_frames(tmp_path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "1.jpg").write_text("a frame")
    with pytest.raises(EmoCLIPError, match="frame of the folder"):
        check_output(frames / "plot.png", [frames])
    check_output(frames / "scores.csv", [frames])
    check_output(tmp_path / "plot.png", [frames, tmp_path])
