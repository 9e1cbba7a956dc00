"""The small copy of a video that plays in the browser, and the same with everything drawn on it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..export.annotate import write_video
from ..export.overlay import Overlay
from ..video.opening import open_video

if TYPE_CHECKING:
    from ..results.timeline import Timeline
    from ..runtime.progress import ProgressOption
    from ..video import VideoSource

__all__ = ["write_annotated", "write_played"]

_LONGEST = 960  # pixels of the longer side


def write_played(
    source: VideoSource, path: Path, progress: ProgressOption = None
) -> tuple[int, int]:
    """Write the copy that plays: H.264, upright, small; of a part it begins at 0.

    Returns
    -------
    (int, int)
        Width and height of the video itself.
    """
    drawings: list[_Smaller] = []

    def drawing(size: tuple[int, int]) -> _Smaller:
        drawings.append(_Smaller(size))
        return drawings[0]

    write_video(source, path, drawing, progress)
    return drawings[0].frame


def write_annotated(
    timeline: Timeline, played: Path, path: Path, size: tuple[int, int], begin: float
) -> None:
    """Write the copy that plays with everything drawn on it.

    Parameters
    ----------
    timeline : Timeline
    played : Path
        What :func:`write_played` wrote.
    path : Path
    size : (int, int)
        Of the video itself.
    begin : float
        Seconds on the clock of the video at which the copy begins.
    """
    smaller = _Smaller(size).size
    scale = np.array([smaller[0] / size[0], smaller[1] / size[1]] * 2)
    paths = {
        track: dataclasses.replace(face_path, boxes=face_path.boxes * scale)
        for track, face_path in timeline.paths.items()
    }
    scaled = dataclasses.replace(timeline, paths=paths)
    write_video(open_video(played), path, lambda frame: _Annotated(scaled, frame, begin))


class _Smaller:
    """Frames as the browser gets them: no larger than needed, both sides even."""

    def __init__(self, size: tuple[int, int]) -> None:
        factor = min(1.0, _LONGEST / max(size))
        self.frame = size
        self.size = (_even(size[0] * factor), _even(size[1] * factor))

    def draw(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        import cv2

        if (rgb.shape[1], rgb.shape[0]) == self.size:
            return rgb
        height, width = rgb.shape[:2]
        if (width, height) == self.frame:
            smaller = cv2.resize(rgb, self.size, interpolation=cv2.INTER_AREA)
            return np.asarray(smaller, dtype=np.uint8)
        # A video may change its size on the way: its pictures are fitted in, never stretched.
        scale = min(self.size[0] / width, self.size[1] / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = ((self.size[i] - size[i]) // 2 for i in (0, 1))
        fitted = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        fitted[top : top + size[1], left : left + size[0]] = cv2.resize(
            rgb, size, interpolation=cv2.INTER_AREA
        )
        return fitted


class _Annotated:
    """The frames of the copy with everything drawn on them."""

    def __init__(self, timeline: Timeline, size: tuple[int, int], begin: float) -> None:
        self._overlay, self._begin = Overlay(timeline, size, begin=begin), begin
        self.size = self._overlay.size

    def draw(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        return self._overlay.draw(rgb, self._begin + time)


def _even(side: float) -> int:
    return max(2, 2 * round(side / 2))
