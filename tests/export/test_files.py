"""Files that are written whole or not at all."""

from __future__ import annotations

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.export.files import atomic_write, plain_text


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
