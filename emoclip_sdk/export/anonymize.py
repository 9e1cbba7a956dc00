"""Faces that can't be recognized any more: a few blurred cells each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import Box
from ..results.paths import FacePath

__all__ = ["Anonymizer", "faces_to_blur"]

CELLS = 6  # across the longer side of a face
HOLD = 0.5  # seconds before a face is first seen, and after it was last seen
# Of the box's width and height: beside it, above it (forehead, hair) and below it.
BESIDE, ABOVE, BELOW = 0.3, 0.4, 0.25


def faces_to_blur(
    paths: Mapping[int, FacePath], anonymize: bool, keep_faces: Collection[int]
) -> dict[int, FacePath]:
    """Return the ways of the faces that are to be blurred.

    Parameters
    ----------
    paths
        Of all faces of the video.
    anonymize : bool
        False: of none.
    keep_faces : collection of int
        Track numbers of those that stay as they are.

    Raises
    ------
    EmoCLIPError
        A number is no face of the video, or counts for nothing.
    """
    keep = list(keep_faces)
    if keep and not anonymize:
        raise EmoCLIPError("keep_faces is for anonymize=True: say that, too")
    unknown = [track for track in keep if track not in paths]
    if unknown:
        there = ", ".join(map(str, paths)) or "none"
        raise EmoCLIPError(f"there is no face track {unknown[0]} to keep; there are: {there}")
    if not anonymize:
        return {}
    return {track: path for track, path in paths.items() if track not in keep}


@dataclass(frozen=True)
class Anonymizer:
    """Blurs faces in the frames of a video, by where they were in its sampled frames.

    A face is covered between two sampled frames that show it, in the gaps in which it was lost, and
    half a second before and after. Of what it covers, the means of six cells across stay, and blend
    into each other.

    Parameters
    ----------
    paths : mapping of int to FacePath
        Of the faces that are blurred.
    """

    paths: Mapping[int, FacePath]

    def __call__(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """Return a frame (H, W, 3) without these faces; `time` in seconds."""
        boxes = [box for path in self.paths.values() if (box := _covering(path, time)) is not None]
        if not boxes:
            return rgb
        blurred = rgb.copy()
        for x0, y0, x1, y1 in boxes:
            width, height = x1 - x0, y1 - y0
            _blur(
                blurred,
                max(round(x0 - BESIDE * width), 0),
                max(round(y0 - ABOVE * height), 0),
                round(x1 + BESIDE * width),
                round(y1 + BELOW * height),
            )
        return blurred


def _covering(path: FacePath, time: float) -> Box | None:
    """Return what covers a face at a time; None where it is far from being seen."""
    seen = path.at(time)
    if seen is not None:
        return seen
    after = int(np.searchsorted(path.times, time, side="right"))
    last = path.boxes[after - 1] if after else None
    following = path.boxes[after] if after < len(path.times) else None
    if last is not None and following is not None:
        # Lost on the way, for two seconds at most: it may be anywhere between the two.
        near = np.stack([last, following])
    elif following is not None and path.times[after] - time <= HOLD:
        near = following[None]
    elif last is not None and time - path.times[after - 1] <= path.spacing + HOLD:
        near = last[None]
    else:
        return None
    x0, y0 = near[:, :2].min(axis=0).tolist()
    x1, y1 = near[:, 2:].max(axis=0).tolist()
    return x0, y0, x1, y1


def _blur(rgb: NDArray[np.uint8], x0: int, y0: int, x1: int, y1: int) -> None:
    """Leave a few means of a part of a picture, in place; it may reach beyond the border."""
    import cv2

    part = rgb[y0:y1, x0:x1]
    if not part.size:
        return
    height, width = part.shape[:2]
    # A cell of a smaller part would show more of it: fewer of them, then.
    cell = max(height, width, CELLS) / CELLS
    cells = (max(1, int(width / cell)), max(1, int(height / cell)))
    means = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(means, (width, height), interpolation=cv2.INTER_CUBIC)
