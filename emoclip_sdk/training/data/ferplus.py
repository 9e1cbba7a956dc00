"""FER+ (Barsoum et al. 2016): FER2013's pictures with ten annotators' votes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from ...errors import DatasetError

__all__ = ["FERPLUS_CLASSES", "Pictures", "load_ferplus"]

# The first eight columns of the file; the last two are "unknown" and "NF" (not a face).
FERPLUS_CLASSES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)


AGREED = 0.8
"""Share of the votes from which on nearly all agree."""


@dataclass(frozen=True)
class Pictures:
    """Face pictures with a distribution over emotions.

    Attributes
    ----------
    images : ndarray of uint8, (N, S, S)
    votes : ndarray of float32, (N, C)
        Rows sum to 1.
    classes : tuple of str
        Names of the C columns.
    """

    images: np.ndarray
    votes: np.ndarray
    classes: tuple[str, ...]

    @property
    def labels(self) -> np.ndarray:
        """Majority class per picture, (N,) int64; the first one where votes are even."""
        return self.votes.argmax(axis=1)

    @property
    def at_rest(self) -> np.ndarray:
        """Pictures of faces that show nothing, to nearly all who voted: (M, S, S), maybe none."""
        if "neutral" not in self.classes:
            return self.images[:0]
        return self.images[self.votes[:, self.classes.index("neutral")] >= AGREED]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.images)

    def without(self, name: str) -> Pictures:
        """Return what is left when an emotion was never seen.

        Pictures with most votes for it are gone; on the others its votes do not count.

        Raises
        ------
        DatasetError
            There is no such class.
        """
        if name not in self.classes:
            raise DatasetError(f"{name}: no class of these. There are: {', '.join(self.classes)}")
        column = self.classes.index(name)
        keep = self.labels != column
        votes = self.votes[keep]
        votes[:, column] = 0
        return Pictures(self.images[keep], votes / votes.sum(axis=1, keepdims=True), self.classes)


def load_ferplus(path: str | Path, split: Literal["train", "valid", "test"]) -> Pictures:
    """Read one split of ``ferplus.npz`` with the usual filter.

    Duplicates are dropped, then rows in which "unknown" or "NF" has the largest count (alone or
    together with an emotion). Single votes are set to 0 as noise, rows that lose more than half
    of their votes by that are dropped, and the rest is normalized over the eight emotions. That
    leaves 26,867 train, 3,230 valid and 3,192 test pictures.

    Raises
    ------
    DatasetError
        The file can't be read or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {k: file[k] for k in ("images", "votes", "columns", "split", "duplicate")}
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DatasetError(f"{path}: not a FER+ file ({error})") from error
    columns = tuple(str(c) for c in data["columns"])
    if columns[:8] != FERPLUS_CLASSES:
        raise DatasetError(f"{path}: expected the columns {FERPLUS_CLASSES}, found {columns}")

    votes = data["votes"].astype(np.int64)
    emotions, others = votes[:, :8], votes[:, 8:]
    firm = np.where(emotions > 1, emotions, 0)
    keep = (data["split"].astype(str) == split) & ~data["duplicate"]
    keep &= emotions.max(axis=1) > others.max(axis=1)
    keep &= 2 * firm.sum(axis=1) >= votes.sum(axis=1)
    shares = (firm[keep] / firm[keep].sum(axis=1, keepdims=True)).astype(np.float32)
    return Pictures(data["images"][keep], shares, FERPLUS_CLASSES)
