"""Datasets whose folders are their labels: AFEW, and anyone's own folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ....errors import DatasetError
from ....video.opening import VIDEO_SUFFIXES
from ....video.pictures import FRAME_SUFFIXES
from .classes import BASIC_CLASSES, class_of_word
from .clips import ClipDataset, Problem, Split
from .locate import ClipFolder, MissingClip, has_pictures, is_visible, made_by_crop
from .rows import SPLITS, ListRow, build_dataset

__all__ = ["AFEW_LAYOUT", "FOLDER_LAYOUT", "detect_crops", "read_afew", "read_folder"]

AFEW_LAYOUT = "ROOT/AFEW_Face/{train,validation}/<Emotion>/<clip>/*.png"
FOLDER_LAYOUT = (
    "ROOT/{train,valid,test}/<class>/<clip>, or ROOT/<class>/<clip> (all of it test); a clip is a "
    "folder of frames, a video or a picture"
)
_SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
# What emoclip-train crop leaves beside the clips.
_NO_CLIPS = frozenset({"crop.json", "crop-report.csv"})


def read_afew(root: Path) -> ClipDataset:
    """Read AFEW (Dhall et al.); its validation set is the split ``test``.

    The labels of AFEW's own test set are not public: the paper, like most others, reports on the
    validation set.

    Raises
    ------
    DatasetError
        A folder is missing.
    """
    problems: list[Problem] = []
    faces = root / "AFEW_Face"
    rows: dict[Split, list[ListRow]] = {}
    for split, folder in (("train", "train"), ("test", "validation")):
        if not (faces / folder).is_dir():
            raise DatasetError(f"{faces / folder}: no such folder. Expected: {AFEW_LAYOUT}")
        rows[split] = []  # type: ignore[index]
        for emotion in _entries(faces / folder):
            if emotion.name in _NO_CLIPS:
                continue
            label = class_of_word(emotion.name)
            if label is None or not emotion.is_dir():
                what = "is no folder of one of the seven emotions"
                problems.append(Problem("unexpected file", str(emotion), what))
                continue
            for name in _clip_names(emotion, problems, pictures=False):
                clip = f"{folder}/{emotion.name}/{name}"
                rows[split].append(ListRow(clip, str(emotion / name), label))  # type: ignore[index]
    find = ClipFolder(faces, AFEW_LAYOUT).find
    return build_dataset("afew", BASIC_CLASSES, rows, find, cropped=True, problems=problems)


def read_folder(root: Path, cropped: bool | None = None) -> ClipDataset:
    """Read a folder of classes, with or without splits. Classes are in alphabetical order.

    Without splits all clips are ``test``: there is something to measure on and nothing to train on.

    Parameters
    ----------
    root : Path
    cropped : bool, optional
        Whether the frames are face crops. By default those that ``emoclip-train crop`` made are.

    Raises
    ------
    DatasetError
        No such folder.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder. Expected: {FOLDER_LAYOUT}")
    problems: list[Problem] = []
    top = [entry for entry in _entries(root) if entry.name not in _NO_CLIPS]
    parts = [(entry, _SPLIT_NAMES[entry.name.lower()]) for entry in top if _is_split(entry)]
    if parts:
        problems += [
            Problem("unexpected file", str(entry), "is not in train, valid or test")
            for entry in top
            if not _is_split(entry)
        ]
    else:
        parts = [(root, "test")]
    listing: list[tuple[Split, str, Path]] = []
    for folder, split in parts:
        for member in _entries(folder):
            if member.is_dir():
                names = _clip_names(member, problems, pictures=True)
                listing += [(split, member.name, member / name) for name in names]
            elif member.name not in _NO_CLIPS:
                problems.append(Problem("unexpected file", str(member), "is in no class's folder"))
    classes = sorted({label for _, label, _ in listing})
    present = {split for _, split in parts}
    rows: dict[Split, list[ListRow]] = {split: [] for split in SPLITS if split in present}
    videos: dict[str, Path] = {}
    for split, label, path in listing:
        clip = path.relative_to(root).as_posix()
        videos[clip] = path
        rows[split].append(ListRow(clip, str(path), classes.index(label)))
    cropped, mixed = detect_crops(list(videos.values()), root, cropped)

    def find(clip: str) -> Path:
        path = videos[clip]
        if path.is_dir() and not has_pictures(path):
            raise MissingClip(f"{path}: the folder holds no picture")
        return path

    return build_dataset("folder", classes, rows, find, cropped=cropped, problems=problems + mixed)


def detect_crops(clips: list[Path], root: Path, cropped: bool | None) -> tuple[bool, list[Problem]]:
    """Return whether clips are face crops; by default those of ``emoclip-train crop`` are."""
    if cropped is not None:
        return cropped, []
    marked = sum(made_by_crop(clip, root) for clip in clips)
    if 0 < marked < len(clips):
        what = f"{marked} of {len(clips)} clips are face crops already; faces are searched in all"
        return False, [Problem("mixed crops", str(root), what)]
    return bool(clips) and marked == len(clips), []


def _is_split(entry: Path) -> bool:
    return entry.name.lower() in _SPLIT_NAMES and entry.is_dir()


def _entries(folder: Path) -> list[Path]:
    return sorted(folder / name for name in os.listdir(folder) if is_visible(name))


def _clip_names(folder: Path, problems: list[Problem], *, pictures: bool) -> Iterator[str]:
    """Yield the clips in a folder: whole names with `pictures`, which then are clips, too."""
    for entry in _entries(folder):
        if entry.name in _NO_CLIPS:
            continue
        suffix = entry.suffix.lower()
        if entry.is_dir():
            yield entry.name
        elif suffix in VIDEO_SUFFIXES:
            yield entry.name if pictures else entry.stem
        elif pictures and suffix in FRAME_SUFFIXES:
            yield entry.name
        else:
            problems.append(Problem("unexpected file", str(entry), "is no clip"))
