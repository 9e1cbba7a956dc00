"""AFEW and folders of one's own: the folder is the label."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import open_clips

from .conftest import PNG, add_frames, add_text, kinds, problem


def test_afew_reports_on_its_validation_set(afew: Path) -> None:
    data = open_clips("afew", afew)
    assert kinds(data) == {} and set(data.splits) == {"train", "test"}
    assert [data.classes[c.label] for c in data.splits["train"]] == ["anger", "happiness"]
    # Nouns and adjectives both are in use.
    assert [data.classes[c.label] for c in data.splits["test"]] == ["anger", "neutral"]


def test_afew_strange_entries(afew: Path) -> None:
    train = afew / "AFEW_Face" / "train"
    add_frames(train / "Bored" / "x")
    add_text(train / "Happy" / "notes.txt", "")
    (train / "Happy" / "empty").mkdir()
    (train / "Happy" / "film.avi").write_bytes(b"")
    (train / ".DS_Store").write_bytes(b"")
    data = open_clips("afew", afew)
    assert kinds(data) == {"unexpected file": 2, "missing clip": 1}
    assert data.splits["train"][-1].video == train / "Happy" / "film.avi"
    with pytest.raises(DatasetError, match=r"train: no such folder. Expected: ROOT.AFEW_Face"):
        open_clips("afew", train)


def test_folder_with_splits(tmp_path: Path) -> None:
    for clip in ("train/joy/a", "train/anger/a", "val/joy/b", "test/joy/a"):
        add_frames(tmp_path / clip)
    (tmp_path / "test" / "joy" / "c.png").write_bytes(PNG)
    add_frames(tmp_path / "extra" / "joy")
    data = open_clips("folder", tmp_path)
    assert data.classes == ("anger", "joy") and not data.cropped
    assert {split: [c.id for c in clips] for split, clips in data.splits.items()} == {
        "train": ["train/anger/a", "train/joy/a"],
        "valid": ["val/joy/b"],
        "test": ["test/joy/a", "test/joy/c.png"],
    }
    assert problem(data, "unexpected file").where == str(tmp_path / "extra")


def test_folder_without_splits_is_all_test(tmp_path: Path) -> None:
    add_frames(tmp_path / "joy" / "a")
    (tmp_path / "joy" / "b.mp4").write_bytes(b"")
    data = open_clips("folder", tmp_path)
    assert list(data.splits) == ["test"] and len(data.splits["test"]) == 2


def test_folder_made_by_crop(tmp_path: Path) -> None:
    add_frames(tmp_path / "joy" / "a")
    add_text(tmp_path / "crop.json", "{}")
    add_text(tmp_path / "crop-report.csv", "")
    data = open_clips("folder", tmp_path)
    assert data.cropped and kinds(data) == {}
    assert not open_clips("folder", tmp_path, cropped=False).cropped
