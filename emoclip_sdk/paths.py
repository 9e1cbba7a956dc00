"""Where every face was, sampled frame by sampled frame: what boxes in a video are drawn from."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clips import EmbeddedFrame
from .video import Box

__all__ = ["FacePath", "PathRecorder"]


@dataclass(frozen=True, eq=False)
class FacePath:
    """The way of one face through the picture.

    Attributes
    ----------
    numbers : ndarray, (N,)
        Which of the video's sampled frames show the face, counted from 0.
    times : ndarray, (N,)
        Seconds.
    boxes : ndarray, (N, 4)
        x0, y0, x1, y1 in pixels of the video.
    spacing : float
        Seconds for which a sampled frame stands.
    """

    numbers: NDArray[np.int64]
    times: NDArray[np.float64]
    boxes: NDArray[np.float64]
    spacing: float

    def at(self, time: float) -> Box | None:
        """Return the box at a time, between frames that follow one another; None out of view."""
        after = int(np.searchsorted(self.times, time, side="right"))
        if not after:
            return None
        box = self.boxes[after - 1]
        since = time - self.times[after - 1]
        if after < len(self.times) and self.numbers[after] == self.numbers[after - 1] + 1:
            share = since / (self.times[after] - self.times[after - 1])
            box = (1 - share) * box + share * self.boxes[after]
        elif since >= self.spacing:
            return None
        x0, y0, x1, y1 = box.tolist()
        return x0, y0, x1, y1


class PathRecorder:
    """Notes where faces are while frames pass by: 50 bytes for each face in a sampled frame."""

    def __init__(self) -> None:
        self._found: dict[int, array[float]] = {}
        self._n = 0
        self._last = 0.0

    def watch(self, frames: Iterable[EmbeddedFrame]) -> Iterator[EmbeddedFrame]:
        """Take in frames while they pass by."""
        for frame in frames:
            for track, face in frame.found.items():
                noted = self._found.setdefault(track, array("d"))
                noted.extend((self._n, frame.time, *face.box))
            self._last = frame.time
            self._n += 1
            yield frame

    def paths(self) -> dict[int, FacePath]:
        """Return what was noted, by track."""
        spacing = self._last / (self._n - 1) if self._n > 1 else 1.0
        paths = {}
        for track, noted in sorted(self._found.items()):
            table = np.frombuffer(noted, np.float64).reshape(-1, 6)
            paths[track] = FacePath(
                table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2:].copy(), spacing
            )
        return paths
