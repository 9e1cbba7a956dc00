"""Which faces of a stream are seen well enough to be scored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from ..faces import FaceQuality, QualityMean
from .frames import EmbeddedFrame

__all__ = ["QualityFilter"]


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
            yield frame

    def quality(self, track: int) -> FaceQuality | None:
        """Return the means over the frames that passed; where none did, over all of the track."""
        means = self._passed.get(track) or self._all.get(track)
        return means.mean() if means else None
