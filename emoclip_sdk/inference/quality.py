"""Which faces of a stream are seen well enough to be scored, and what these frames show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..faces import FaceQuality, QualityMean
from .frames import EmbeddedFrame

__all__ = ["QualityFilter"]

Vector = NDArray[np.float64]


class QualityFilter:
    """Leaves faces that are not seen well enough out of a stream.

    Parameters
    ----------
    min_quality : float
        A face whose :attr:`FaceQuality.score` is below is left out of the frame.

    Attributes
    ----------
    left_out : dict of int to set of float
        Times of the frames in which each track was left out.
    """

    def __init__(self, min_quality: float) -> None:
        self.min_quality = min_quality
        self.left_out: dict[int, set[float]] = {}
        self._passed: dict[int, QualityMean] = {}
        self._all: dict[int, QualityMean] = {}
        self._measures: dict[int, tuple[Vector, int]] = {}

    def __call__(self, frames: Iterable[EmbeddedFrame]) -> Iterator[EmbeddedFrame]:
        """Pass frames on without the faces that are not seen well enough."""
        for frame in frames:
            unclear = set()
            for track in frame.faces:
                quality = frame.qualities.get(track)
                if quality is not None:
                    self._all.setdefault(track, QualityMean()).add(quality)
                    if quality.score < self.min_quality:
                        unclear.add(track)
                        self.left_out.setdefault(track, set()).add(frame.time)
                    else:
                        self._passed.setdefault(track, QualityMean()).add(quality)
            if unclear:
                faces = {t: face for t, face in frame.faces.items() if t not in unclear}
                frame = dataclasses.replace(frame, faces=faces)
            for track, measures in frame.actions.items():
                if track not in unclear:
                    total, n = self._measures.get(track, (np.zeros(len(measures)), 0))
                    self._measures[track] = total + measures, n + 1
            yield frame

    def measures(self, track: int) -> Vector | None:
        """Return the mean actions of the frames that passed; None where none shows them."""
        total, n = self._measures.get(track, (None, 0))
        return None if total is None else total / n

    def quality(self, track: int) -> FaceQuality | None:
        """Return the means over the frames that passed; where none did, over all of the track."""
        means = self._passed.get(track) or self._all.get(track)
        return means.mean() if means else None
