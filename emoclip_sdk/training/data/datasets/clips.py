"""What every dataset reader returns: clips with labels and captions, and what was wrong on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clip", "ClipDataset", "Problem", "Split"]

Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, eq=False)
class Clip:
    """One labeled video.

    Attributes
    ----------
    id : str
        Unique within its dataset and the same in every fold.
    video : Path or ndarray of uint8, (T, H, W, 3)
        A folder of frames, a video file, or the frames themselves.
    label : int, optional
        Index into :attr:`ClipDataset.classes`.
    caption : str, optional
        Sample-level description of the face.
    subject : str, optional
        Who is seen, where the dataset tells.
    """

    id: str
    video: Path | NDArray[np.uint8]
    label: int | None = None
    caption: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Problem:
    """Something that a reader met and did not use.

    Attributes
    ----------
    kind : str
        ``"missing clip"``, ``"malformed line"``, ``"unexpected count"``, ``"unreadable frame"`` …
    where : str
        The file, with its line number where there is one (``list.txt:12``).
    what : str
    """

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        """Return one line: where, what kind of problem, what."""
        return f"{self.where}: {self.kind}: {self.what}"


@dataclass(frozen=True)
class ClipDataset:
    """A dataset, or one fold of it.

    Attributes
    ----------
    name : str
    classes : tuple of str
        In the dataset's order; names that the prompt bank knows. A compound is its parts joined by
        ``_``, as in MAFW's lists.
    splits : mapping of str to tuple of Clip
        ``train``, ``test`` and, where the data define one, ``valid``.
    cropped : bool
        The frames are face crops already: no detector is run on them.
    problems : tuple of Problem
        What was left out, and why. Never silent: ``emoclip-train check`` prints all of them, the
        other commands their number.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[Clip, ...]]
    cropped: bool = True
    problems: tuple[Problem, ...] = field(default=(), repr=False)
