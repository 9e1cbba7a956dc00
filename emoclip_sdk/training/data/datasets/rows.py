"""From the rows of a list to clips: what is twice, on both sides or not on disk is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clips import Clip, ClipDataset, Problem, Split
from .locate import MissingClip

__all__ = ["SPLITS", "ListRow", "build_dataset"]

SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True)
class ListRow:
    """A well-formed row of a list.

    Attributes
    ----------
    id : str
        See :attr:`Clip.id`.
    where : str
        ``file:line``, or the path of what stands for the row.
    label, caption, subject
        As in :class:`Clip`.
    """

    id: str
    where: str
    label: int | None = None
    caption: str | None = None
    subject: str | None = None


def build_dataset(
    name: str,
    classes: Sequence[str],
    rows: Mapping[Split, Iterable[ListRow]],
    find: Callable[[str], Path | NDArray[np.uint8]],
    *,
    cropped: bool,
    problems: Iterable[Problem] = (),
) -> ClipDataset:
    """Make the dataset of the rows that can be used, and report all others.

    The first of several rows of a clip counts. A clip of two splits stays in the one that measures
    (test before valid before train), so that nothing is trained on what is measured.

    Parameters
    ----------
    name, classes, cropped, problems
        Of the dataset; what is found here is appended to the problems.
    rows : mapping of str to iterable of ListRow
    find : callable
        From a row's id to its video; raises :class:`MissingClip`.
    """
    all_problems = list(problems)
    first_rows: dict[str, tuple[str, ListRow]] = {}
    subjects: dict[str, str] = {}
    splits: dict[str, tuple[Clip, ...]] = {}
    for split in reversed([s for s in SPLITS if s in rows]):
        clips = []
        for row in rows[split]:
            if row.id in first_rows:
                all_problems.append(_repeated(row, split, *first_rows[row.id]))
                continue
            first_rows[row.id] = (split, row)
            try:
                video = find(row.id)
            except MissingClip as missing:
                all_problems.append(Problem("missing clip", row.where, str(missing)))
                continue
            clips.append(Clip(row.id, video, row.label, row.caption, row.subject))
            if row.subject is not None and subjects.setdefault(row.subject, split) != split:
                what = f"{row.subject} is in {split} and in {subjects[row.subject]}"
                all_problems.append(Problem("subject in two splits", name, what))
        splits[split] = tuple(clips)
    ordered: dict[str, tuple[Clip, ...]] = {s: splits[s] for s in SPLITS if s in splits}
    return ClipDataset(name, tuple(classes), ordered, cropped, tuple(dict.fromkeys(all_problems)))


def _repeated(row: ListRow, split: str, first_split: str, first: ListRow) -> Problem:
    if split != first_split:
        what = f"{row.id} is also in {first_split} ({first.where}) and left out of {split}"
        return Problem("in two splits", row.where, what)
    same = (row.label, row.caption) == (first.label, first.caption)
    note = "" if same else ", with another label or caption"
    return Problem("duplicate", row.where, f"{row.id} is already at {first.where}{note}")
