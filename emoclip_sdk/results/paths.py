"""Where a face was, sampled frame by sampled frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FacePath"]


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

    def at(self, time: float) -> tuple[float, float, float, float] | None:
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
