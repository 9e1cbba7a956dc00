"""Where every face was, sampled frame by sampled frame: what boxes in a video are drawn from."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from ..results.paths import FacePath
from .frames import EmbeddedFrame

__all__ = ["PathRecorder"]


class PathRecorder:
    """Notes where faces are while frames pass by: 50 bytes for each face in a sampled frame."""

    def __init__(self) -> None:
        self._boxes: dict[int, array[float]] = {}
        self._n = 0
        self._first = self._last = 0.0

    def watch(self, frames: Iterable[EmbeddedFrame]) -> Iterator[EmbeddedFrame]:
        """Take in frames while they pass by."""
        for frame in frames:
            for track, face in frame.detections.items():
                boxes = self._boxes.setdefault(track, array("d"))
                boxes.extend((self._n, frame.time, *face.box))
            self._first, self._last = self._first if self._n else frame.time, frame.time
            self._n += 1
            yield frame

    def paths(self) -> dict[int, FacePath]:
        """Return where each track was."""
        spacing = (self._last - self._first) / (self._n - 1) if self._n > 1 else 1.0
        paths = {}
        for track, boxes in sorted(self._boxes.items()):
            table = np.frombuffer(boxes, np.float64).reshape(-1, 6)
            paths[track] = FacePath(
                table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2:].copy(), spacing
            )
        return paths
