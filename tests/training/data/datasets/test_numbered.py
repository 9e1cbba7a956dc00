"""DFEW and FERV39K: where labels begin, and what a list can get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import BASIC_CLASSES, open_clips

from .conftest import add_frames, add_text, kinds, problem


def _labels(data, split="train") -> list[str]:
    return [data.classes[clip.label] for clip in data.splits[split]]


def test_dfew_labels_from_one(dfew: Path) -> None:
    data = open_clips("dfew", dfew)
    assert _labels(data) == list(BASIC_CLASSES) and kinds(data) == {}
    # The test list alone fits both ways of counting; it follows the training list.
    assert _labels(data, "test") == ["neutral"]
    assert data.splits["test"][0].video == dfew / "DFEW_Frame_Face" / "00008"


def test_dfew_labels_from_zero(dfew: Path) -> None:
    add_text(dfew / "DFEW_set_1_train.txt", "".join(f"{i:05d} 2 {i - 1}\n" for i in range(1, 8)))
    data = open_clips("dfew", dfew)
    assert _labels(data) == list(BASIC_CLASSES)
    assert _labels(data, "test") == ["anger"]


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("00001 2 0\n00002 2 7\n", "train.txt:2: label 7"),
        ("00001 2 1\n00002 2 8\n", "train.txt:2: label 8"),
        ("00001 2 3\n00002 2 4\n", "neither a label 0 nor a label 7"),
    ],
)
def test_dfew_labels_that_fit_neither(dfew: Path, train: str, message: str) -> None:
    add_text(dfew / "DFEW_set_1_train.txt", train)
    with pytest.raises(DatasetError, match=message):
        open_clips("dfew", dfew)


def test_dfew_malformed_lines(dfew: Path) -> None:
    with (dfew / "DFEW_set_1_train.txt").open("a") as file:
        file.write("00001 2\n00002 two 1\n00003 2 -1\n")
    data = open_clips("dfew", dfew)
    assert kinds(data) == {"malformed line": 3}
    assert {p.where.rpartition(":")[2] for p in data.problems if p.kind == "malformed line"} == {
        "8",
        "9",
        "10",
    }


def test_sizes_are_compared_with_the_published_ones(dfew: Path) -> None:
    problems = [p for p in open_clips("dfew", dfew).problems if p.kind == "unexpected count"]
    assert [p.where for p in problems] == ["dfew single fold 1, train", "dfew single fold 1, test"]
    assert (
        "7 clips, published 9356" in problems[0].what and "happiness 1 of 1956" in problems[0].what
    )


def test_ferv39k(ferv39k: Path) -> None:
    data = open_clips("ferv39k", ferv39k)
    assert kinds(data) == {} and _labels(data) == ["happiness", "fear"]
    assert [c.id for c in data.splits["train"]] == ["Action/Happy/0001", "War/Fear/0001"]
    assert _labels(data, "test") == ["sadness"]


def test_ferv39k_label_and_folder_disagree(ferv39k: Path) -> None:
    add_frames(ferv39k / "2_ClipsforFaceCrop" / "War" / "Angry" / "0002")
    with (ferv39k / "train_image.txt").open("a") as file:
        file.write("War/Angry/0002 2 1\n0003 2 1\nWar/Fear/0009 2 6\n")
    data = open_clips("ferv39k", ferv39k)
    assert kinds(data) == {"conflicting label": 1, "malformed line": 1, "missing clip": 1}
    assert problem(data, "conflicting label").where == f"{ferv39k / 'train_image.txt'}:3"
    assert "sadness, the folder is Angry" in problem(data, "conflicting label").what


def test_dfew_as_released(dfew: Path) -> None:
    for split in ("train", "test"):
        (dfew / f"DFEW_set_1_{split}.txt").unlink()
    lists = dfew / "EmoLabel_DataSplit"
    rows = "".join(f"{i},{i}\n" for i in range(1, 8))
    add_text(lists / "train(single-labeled)" / "set_1.csv", "video_name,label\n" + rows + "9;3\n")
    add_text(lists / "test(single-labeled)" / "set_1.csv", "video_name,label\n8,3\n")
    (dfew / "Clip").mkdir()
    (dfew / "DFEW_Frame_Face").rename(dfew / "Clip" / "clip_224x224")
    data = open_clips("dfew", dfew)
    assert _labels(data) == list(BASIC_CLASSES) and _labels(data, "test") == ["neutral"]
    assert data.splits["train"][0].id == "00001" and data.cropped
    assert kinds(data) == {"malformed line": 1}
    assert problem(data, "malformed line").where.endswith("set_1.csv:9")


def test_ferv39k_as_released(ferv39k: Path) -> None:
    for split in ("train", "test"):
        (ferv39k / f"{split}_image.txt").unlink()
    lists = ferv39k / "4_setups" / "All_scenes"
    add_text(lists / "train_All.csv", "Action/Happy/0001 Happy\nWar/Fear/0001 Fear\n")
    add_text(lists / "test_All.csv", "Action/Sad/0001 Sad\nAction/Sad/0002 Smug\n")
    data = open_clips("ferv39k", ferv39k)
    assert _labels(data) == ["happiness", "fear"] and _labels(data, "test") == ["sadness"]
    assert kinds(data) == {"malformed line": 1}
