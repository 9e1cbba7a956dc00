"""MAFW: both tasks, captions, and every way in which a list can be wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.training.data.datasets import MAFW_CLASSES, MAFW_COMPOUNDS, open_clips

from .conftest import add_text, kinds, problem

SINGLE = Path("Train_Test_Set", "single", "with_caption_new", "set_1")


def test_single(mafw: Path) -> None:
    data = open_clips("mafw", mafw)
    assert data.classes == MAFW_CLASSES and data.cropped and kinds(data) == {}
    train = {clip.id: clip for clip in data.splits["train"]}
    assert list(train) == [f"0000{i}" for i in range(1, 6)]
    assert data.classes[train["00005"].label] == "disappointment"
    assert train["00001"].caption == "A man frowns."
    assert train["00004"].caption is None  # neutral: the trainer draws its sentences
    assert train["00001"].video == mafw / "data" / "faces" / "00001"
    assert [clip.id for clip in data.splits["test"]] == ["00006"]


def test_compound_in_another_order(mafw: Path) -> None:
    data = open_clips("mafw", mafw, task="compound")
    assert len(data.classes) == 43 and kinds(data) == {}
    assert [data.classes[c.label] for c in data.splits["train"]] == ["anger_disgust", "neutral"]
    assert data.classes[data.splits["test"][0].label] == "fear_surprise_anxiety"


def test_classes_are_the_paper_s_and_the_bank_s(shared: Path) -> None:
    classes = yaml.safe_load((shared / "paper" / "mafw_classes.yaml").read_text())
    assert list(MAFW_CLASSES) == classes["single"]
    assert list(MAFW_COMPOUNDS) == ["_".join(parts) for parts in classes["compound"]]
    bank = PromptBank.default()
    assert all(bank.resolve(name) == name for name in MAFW_CLASSES + MAFW_COMPOUNDS)


def test_chinese_encoding(mafw: Path) -> None:
    text = (mafw / SINGLE / "train.txt").read_text(encoding="utf-8")
    add_text(mafw / SINGLE / "train.txt", text, "gbk")
    assert open_clips("mafw", mafw).splits["train"][1].caption == "A woman smiles."


def test_lists_without_captions_fill_up(mafw: Path) -> None:
    """A list with captions may hold only the clips that have one."""
    text = (mafw / SINGLE / "train.txt").read_text(encoding="utf-8")
    add_text(mafw / SINGLE / "train.txt", text.replace("00004.mp4\tneutral\n", ""))
    plain = mafw / "Train_Test_Set" / "single" / "no_caption_new" / "set_1"
    lines = "00001.mp4 anger\n00004.mp4 neutral\n00002.mp4 fear\n00006.mp4 fear\n"
    add_text(plain / "train.txt", lines)
    add_text(plain / "test.txt", "00006.mp4 fear\n")
    data = open_clips("mafw", mafw)
    assert sorted(c.id for c in data.splits["train"]) == [f"0000{i}" for i in range(1, 6)]
    assert data.splits["train"][0].caption == "A man frowns."
    assert kinds(data) == {"conflicting label": 1, "in two splits": 1}
    assert problem(data, "conflicting label").where == f"{plain / 'train.txt'}:3"


def test_no_captions_at_all(mafw: Path) -> None:
    single = mafw / "Train_Test_Set" / "single"
    (single / "with_caption_new").rename(single / "no_caption_new")
    assert kinds(open_clips("mafw", mafw)) == {"missing caption": 1}


def test_problems_are_named_by_file_and_line(mafw: Path) -> None:
    with (mafw / SINGLE / "train.txt").open("a", encoding="utf-8") as file:
        file.write(
            "00001.mp4\tanger\t皱眉\tA man frowns.\n"  # 6: again
            "\n"
            "00006.mp4\tfear\t瞪眼\tWide eyes.\n"  # 8: of the test list
            "00007.mp4\tfear\t瞪眼\tWide eyes.\n"  # 9: not on disk
            "00008.mp4\tanger_disgust\t皱\tHe frowns.\n"  # 10: of the other task
            "00009.mp4\n"  # 11: no emotion
        )
    shutil.rmtree(mafw / "data" / "faces" / "00002")
    (mafw / "data" / "faces" / "00002").mkdir()
    path = mafw / SINGLE / "train.txt"
    path.write_text(path.read_text("utf-8").replace("One lip corner is raised.", "-"), "utf-8")
    data = open_clips("mafw", mafw)
    result = {(p.kind, p.where) for p in data.problems if p.kind != "unexpected count"}
    assert result == {
        ("missing clip", f"{path}:2"),
        ("missing caption", f"{path}:3"),
        ("duplicate", f"{path}:6"),
        ("in two splits", f"{path}:8"),
        ("missing clip", f"{path}:9"),
        ("unknown class", f"{path}:10"),
        ("malformed line", f"{path}:11"),
    }
    assert "holds no picture" in next(p.what for p in data.problems if p.where == f"{path}:2")
    assert [c.id for c in data.splits["train"]] == ["00001", "00003", "00004", "00005"]
    assert [c.id for c in data.splits["test"]] == ["00006"]


def test_rows_with_other_columns_keep_their_label(mafw: Path) -> None:
    path = mafw / SINGLE / "train.txt"
    add_text(
        path,
        "00001.mp4\tanger\t皱眉\n"
        "00002.mp4\thappiness\tA woman smiles.\n"
        "00003.mp4\tcontempt\t嘴角\tOne lip corner\tis raised.\n"
        "00005.mp4\tdisappointment\t低头\tShe lowers her gaze.\t\n",
    )
    data = open_clips("mafw", mafw)
    captions = {clip.id: clip.caption for clip in data.splits["train"]}
    assert captions == {
        "00001": None,
        "00002": "A woman smiles.",
        "00003": "One lip corner is raised.",
        "00005": "She lowers her gaze.",
    }
    assert kinds(data) == {"unusual columns": 4, "missing caption": 1}
    train = next(p for p in data.problems if p.where.endswith("fold 1, train"))
    assert "captions 3 of 6423" in train.what


def test_as_released(mafw: Path) -> None:
    (mafw / "Train_Test_Set").rename(mafw / "Train & Test Set")
    for task in ("single", "compound"):
        lists = mafw / "Train & Test Set" / task
        (lists / "with_caption_new").rename(lists / "with_caption")
        assert len(open_clips("mafw", mafw, task=task).splits["test"]) == 1
    (mafw / "data" / "faces").rename(mafw / "data" / "frames")
    data = open_clips("mafw", mafw)
    assert not data.cropped and len(data.splits["train"]) == 5


def test_videos_instead_of_frames(mafw: Path) -> None:
    faces = mafw / "data" / "faces"
    shutil.rmtree(faces / "00001")
    (faces / "00001.mp4").write_bytes(b"")
    assert open_clips("mafw", mafw).splits["train"][0].video == faces / "00001.mp4"
    faces.rename(mafw / "data" / "clips")  # the release's own videos: whole pictures
    assert not open_clips("mafw", mafw).cropped


def test_what_is_fatal(mafw: Path) -> None:
    with pytest.raises(DatasetError, match=r"set_2.train\.txt: no such file. Expected: ROOT"):
        open_clips("mafw", mafw, fold=2)
    shutil.rmtree(mafw / "data")
    with pytest.raises(DatasetError, match=r"data.faces: no such folder"):
        open_clips("mafw", mafw)
    with pytest.raises(DatasetError, match="no folder with_caption_new or"):
        open_clips("mafw", mafw / "data")
    add_text(mafw / "data" / "faces" / "x", "")
    with pytest.raises(DatasetError, match=r"no clip of mafw can be used; the first of 8 problems"):
        open_clips("mafw", mafw)
