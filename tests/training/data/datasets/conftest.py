"""Tiny datasets in their true layouts."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(file, "png")
    return file.getvalue()


PNG = _png()


def add_frames(folder: Path, n: int = 2) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        (folder / f"{i:05d}.png").write_bytes(PNG)
    return folder


def add_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


def kinds(dataset) -> dict[str, int]:
    """Problems per kind, without the sizes, which a tiny dataset never has."""
    result = Counter(problem.kind for problem in dataset.problems)
    result.pop("unexpected count", None)
    return dict(result)


def problem(dataset, kind: str):
    """The only problem of a kind."""
    (result,) = (p for p in dataset.problems if p.kind == kind)
    return result


@pytest.fixture
def mafw(tmp_path: Path) -> Path:
    """Fold 1 of both tasks: six clips, of which 00004 is neutral and 00006 in the test list."""
    train = (
        "00001.mp4\tanger\t皱眉\tA man frowns.\n"
        "00002.mp4\thappiness\t微笑\tA woman smiles.\n"
        "00003.mp4\tcontempt\t嘴角\tOne lip corner is raised.\n"
        "00004.mp4\tneutral\n"
        "00005.mp4\tdisappointment\t低头\tShe lowers her gaze.\n"
    )
    lists = tmp_path / "Train_Test_Set"
    single = lists / "single" / "with_caption_new" / "set_1"
    add_text(single / "train.txt", train)
    add_text(single / "test.txt", "00006.mp4\tfear\t瞪眼\tThe eyes are wide open.\n")
    compound = lists / "compound" / "with_caption_new" / "set_1"
    add_text(
        compound / "train.txt", "00001.mp4\tanger_disgust\t皱\tHe frowns.\n00004.mp4\tneutral\n"
    )
    # The other way round than in the list of classes.
    add_text(compound / "test.txt", "00006.mp4\tanxiety_surprise_fear\t瞪眼\tWide eyes.\n")
    for i in range(1, 7):
        add_frames(tmp_path / "data" / "faces" / f"{i:05d}")
    return tmp_path


@pytest.fixture
def dfew(tmp_path: Path) -> Path:
    """Fold 1, labels from 1."""
    train = "".join(f"/data/DFEW/DFEW_Frame_Face/{i:05d} 2 {i}\n" for i in range(1, 8))
    add_text(tmp_path / "DFEW_set_1_train.txt", train)
    add_text(tmp_path / "DFEW_set_1_test.txt", "/data/my set/DFEW_Frame_Face/00008 2 3\n")
    for i in range(1, 9):
        add_frames(tmp_path / "DFEW_Frame_Face" / f"{i:05d}")
    return tmp_path


@pytest.fixture
def ferv39k(tmp_path: Path) -> Path:
    add_text(
        tmp_path / "train_image.txt",
        "/d/2_ClipsforFaceCrop/Action/Happy/0001 2 0\n/d/2_ClipsforFaceCrop/War/Fear/0001 2 6\n",
    )
    add_text(tmp_path / "test_image.txt", "2_ClipsforFaceCrop/Action/Sad/0001 2 1\n")
    for clip in ("Action/Happy/0001", "War/Fear/0001", "Action/Sad/0001"):
        add_frames(tmp_path / "2_ClipsforFaceCrop" / clip)
    return tmp_path


@pytest.fixture
def afew(tmp_path: Path) -> Path:
    for clip in ("train/Angry/a", "train/Happy/b", "validation/Anger/c", "validation/Neutral/d"):
        add_frames(tmp_path / "AFEW_Face" / clip)
    return tmp_path
