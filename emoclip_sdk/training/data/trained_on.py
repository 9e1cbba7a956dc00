"""Which clips a model has seen, by hash: so that nobody tests it on them without knowing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CheckpointError
from ..engine.state import write_text
from .datasets import DATASETS, Clip

__all__ = ["TRAINED_ON_FILE", "Overlap", "TrainedOn", "read_trained_on"]

TRAINED_ON_FILE = "trained-on.json"

_DIGITS = 16
_HEAD = 1 << 16  # bytes of a file that are hashed, beside its size


class Overlap(NamedTuple):
    """Which of N clips a model has met.

    Attributes
    ----------
    training : ndarray of bool, (N,)
        Its weights were fitted to the clip.
    selection : ndarray of bool, (N,)
        Its epoch was chosen by the clip.
    """

    training: NDArray[np.bool_]
    selection: NDArray[np.bool_]

    @property
    def left_out(self) -> NDArray[np.bool_]:
        """What to leave out of a fair figure: both, or, if nothing is left then, training alone."""
        both = self.training | self.selection
        return self.training if both.all() else both


@dataclass(frozen=True)
class TrainedOn:
    """What a checkpoint was trained on, as it lies beside the weights.

    A clip is recognized by its name in a published dataset, and by its content: sizes of its frames
    and the beginning of the first one, or of the video. So it is found in another task or fold of
    the dataset, and where somebody has renamed it. Own datasets number their clips alike, so that
    there content alone counts.

    Attributes
    ----------
    training : frozenset of str
        Hashes of clips that weights were fitted to, in this run or in those that it started from.
    selection : frozenset of str
        Of clips by which the epoch was chosen.
    """

    training: frozenset[str] = frozenset()
    selection: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        dataset: str,
        training: Iterable[Clip],
        selection: Iterable[Clip],
        before: TrainedOn | None = None,
    ) -> TrainedOn:
        """Record a run on a dataset that started from a model with the record `before`."""
        before = before or cls()
        sides = [
            frozenset(digest for clip in clips for digest in _digests(dataset, clip))
            for clips in (training, selection)
        ]
        return cls(before.training | sides[0], before.selection | sides[1])

    def overlap(self, dataset: str, clips: Sequence[Clip]) -> Overlap:
        """Tell which clips the model has met."""
        digests = [_digests(dataset, clip) for clip in clips]
        return Overlap(
            *(
                np.array([not side.isdisjoint(clip) for clip in digests], bool)
                for side in (self.training, self.selection)
            )
        )

    def write(self, folder: Path) -> None:
        """Write ``trained-on.json`` into a folder."""
        content = {
            "format_version": 1,
            "training": sorted(self.training),
            "selection": sorted(self.selection),
        }
        write_text(folder / TRAINED_ON_FILE, json.dumps(content) + "\n")


def read_trained_on(folder: str | Path) -> TrainedOn | None:
    """Read what a model was trained on; None where nobody has written it down.

    Raises
    ------
    CheckpointError
        The file can't be read.
    """
    path = Path(folder) / TRAINED_ON_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["format_version"] != 1:
            raise ValueError("of a newer emoclip_sdk")
        return TrainedOn(frozenset(content["training"]), frozenset(content["selection"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: can't be read ({error!r})") from error


def _digests(dataset: str, clip: Clip) -> list[str]:
    content = _content(clip)
    digests = [] if content is None else [content]
    info = DATASETS.get(dataset)
    if info is not None and not info.own:
        digests.append(hashlib.sha256(f"{dataset}\0{clip.id}".encode()).hexdigest()[:_DIGITS])
    return digests


def _content(clip: Clip) -> str | None:
    """Hash what a clip shows, without decoding it; None where it can't be read."""
    video = clip.video
    if isinstance(video, np.ndarray):
        digest = hashlib.sha256(str(video.shape).encode())
        digest.update(np.ascontiguousarray(video).data)
        return digest.hexdigest()[:_DIGITS]
    try:
        files = [video]
        if video.is_dir():
            with os.scandir(video) as entries:
                files = sorted(Path(entry.path) for entry in entries if entry.is_file())
        digest = hashlib.sha256(str([file.stat().st_size for file in files]).encode())
        with files[0].open("rb") as first:
            digest.update(first.read(_HEAD))
    except (OSError, IndexError):
        return None
    return digest.hexdigest()[:_DIGITS]
