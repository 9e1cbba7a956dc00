"""MAFW (Liu et al., ACM MM 2022): 11 classes or 43, five folds, captions."""

from __future__ import annotations

import re
from pathlib import Path

from ....errors import DatasetError
from .classes import MAFW_CLASSES, MAFW_COMPOUNDS
from .clips import ClipDataset, Problem, Split
from .lists import read_lines
from .locate import ClipFolder
from .rows import ListRow, build_dataset

__all__ = ["MAFW_LAYOUT", "mafw_label", "read_mafw"]

MAFW_LAYOUT = (
    "ROOT/Train_Test_Set/{single,compound}/{with_caption_new,no_caption_new}/set_{1..5}/"
    "{train,test}.txt (or, as released, ROOT/Train & Test Set/…/{with_caption,no_caption}/…), and "
    "frames in ROOT/data/faces/<clip>/*.png (or ROOT/data/faces/<clip>.mp4)"
)
# As the reference names its lists, and as the release does.
_LISTS = ("Train_Test_Set", "Train & Test Set")
_WITH_CAPTION = ("with_caption_new", "with_caption")
_NO_CAPTION = ("no_caption_new", "no_caption")
_CHINESE = re.compile("[\u3400-\u9fff]")
_CLASSES = MAFW_CLASSES + MAFW_COMPOUNDS
_INDEX = {frozenset(name.split("_")): i for i, name in enumerate(_CLASSES)}

_Lists = dict[Split, list[ListRow]]


def mafw_label(text: str, task: str = "single") -> int | None:
    """Return the class index of ``emotion`` or ``emotion_emotion``, its parts in any order.

    None for what is no class of the task: 11 classes for "single", 43 for "compound".
    """
    parts = [part.strip().lower() for part in text.split("_")]
    index = _INDEX.get(frozenset(parts))
    if index is None or len(set(parts)) != len(parts):
        return None
    return index if task == "compound" or index < len(MAFW_CLASSES) else None


def read_mafw(root: Path, fold: int, task: str = "single") -> ClipDataset:
    """Read one fold.

    A clip's row in the lists with captions counts; what only the lists without captions have is
    added. So it doesn't matter whether the former hold all clips or only those with a caption.
    Neutral clips have none: it stays None, and training draws their sentences from the prompt bank.

    Raises
    ------
    DatasetError
        A list or the folder of the frames is missing.
    """
    problems: list[Problem] = []
    lists = (_first_folder(root, _LISTS) or root / _LISTS[0]) / task
    with_caption = _first_folder(lists, _WITH_CAPTION)
    no_caption = _first_folder(lists, _NO_CAPTION)
    if with_caption is None and no_caption is None:
        raise DatasetError(
            f"{lists}: no folder {' or '.join(_WITH_CAPTION + _NO_CAPTION)}. "
            f"Expected: {MAFW_LAYOUT}"
        )
    rows: _Lists = {"train": [], "test": []}
    if with_caption is not None:
        rows = _read_lists(with_caption / f"set_{fold}", task, problems)
    if no_caption is not None:
        _add(rows, _read_lists(no_caption / f"set_{fold}", task, problems), problems)
    if with_caption is None:
        what = f"there is no {_WITH_CAPTION[0]}: no clip has a caption"
        problems.append(Problem("missing caption", str(lists), what))
    else:
        problems += [
            Problem("missing caption", row.where, f"{row.id} ({_CLASSES[row.label or 0]})")
            for split in rows.values()
            for row in split
            if row.caption is None and row.label != MAFW_CLASSES.index("neutral")
        ]
    faces = root / "data" / "faces"
    # The release's videos, and what others have extracted of them: whole pictures.
    whole = None if faces.is_dir() else _first_folder(root / "data", ("clips", "frames"))
    cropped = whole is None
    folder = ClipFolder(whole or faces, MAFW_LAYOUT)
    classes = MAFW_CLASSES if task == "single" else _CLASSES
    return build_dataset("mafw", classes, rows, folder.find, cropped=cropped, problems=problems)


def _first_folder(parent: Path, names: tuple[str, ...]) -> Path | None:
    return next((parent / name for name in names if (parent / name).is_dir()), None)


def _read_lists(folder: Path, task: str, problems: list[Problem]) -> _Lists:
    return {
        "train": _read_list(folder / "train.txt", task, problems),
        "test": _read_list(folder / "test.txt", task, problems),
    }


def _read_list(path: Path, task: str, problems: list[Problem]) -> list[ListRow]:
    rows = []
    for where, line in read_lines(path, MAFW_LAYOUT):
        # The release separates the two columns of its lists without captions by a blank.
        fields = line.split("\t") if "\t" in line else line.split()
        if not 2 <= len(fields) <= 5:
            what = f"expected 2 or 4 columns separated by tabs, found {len(fields)}: {line[:80]!r}"
            problems.append(Problem("malformed line", where, what))
            continue
        label = mafw_label(fields[1], task)
        if label is None:
            what = f"{fields[1].strip()!r} is none of the {task} task's classes"
            problems.append(Problem("unknown class", where, what))
            continue
        caption = fields[3].strip() if len(fields) == 4 else ""
        if len(fields) in (3, 5):
            # One of the captions is missing, or has a tab in it.
            english = (field.strip() for field in fields[2:] if not _CHINESE.search(field))
            caption = " ".join(filter(None, english))
            what = f"{len(fields)} columns: label kept, English caption taken for {caption[:60]!r}"
            problems.append(Problem("unusual columns", where, what))
        clip = fields[0].strip().split(".")[0]
        rows.append(ListRow(clip, where, label, caption if caption not in ("", "-") else None))
    return rows


def _add(rows: _Lists, more: _Lists, problems: list[Problem]) -> None:
    known = {row.id: (split, row) for split, members in rows.items() for row in members}
    for split, members in more.items():
        for row in members:
            if row.id not in known:
                rows[split].append(row)
                continue
            first_split, first = known[row.id]
            if split != first_split:
                what = f"{row.id} is in {first_split} at {first.where}, which counts"
                problems.append(Problem("in two splits", row.where, what))
            elif row.label != first.label:
                what = f"{row.id} has another label at {first.where}, which counts"
                problems.append(Problem("conflicting label", row.where, what))
