"""The square that the landmark network looks at: where it is in a frame, and how it is turned.

The arithmetic of MediaPipe's face landmarker: a square of 1.5 times the face's long side, turned so
that the line through the eyes is level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Box

__all__ = ["FaceRegion", "region_from_box", "region_from_landmarks"]

_SCALE = 1.5
# From MTCNN's box, which begins above the hairline, to the box about the landmarks: its long side,
# and how far its center is below, as shares of the long side (medians over 17 clips).
_BOX_SCALE, _BOX_DROP = 0.92, 0.06
_RIGHT_EYE, _LEFT_EYE = 33, 263  # landmarks: the outer corners, the subject's sides


@dataclass(frozen=True)
class FaceRegion:
    """A square about a face.

    Parameters
    ----------
    x, y : float
        Its center in pixels of the frame; pixel i covers [i, i + 1).
    side : float
        In pixels of the frame.
    angle : float
        By which the square is turned clockwise in the picture, in radians.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    def to_frame(self, size: float) -> NDArray[np.float64]:
        """Return the map from a crop of `size` pixels to the frame, (2, 3)."""
        scale = self.side / size
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        half = size / 2
        return np.array(
            [
                [cos, -sin, self.x - half * (cos - sin)],
                [sin, cos, self.y - half * (sin + cos)],
            ]
        )


def region_from_box(
    box: Box, eyes: tuple[tuple[float, float], tuple[float, float]] | None = None
) -> FaceRegion:
    """Return the square about a detector's box.

    Parameters
    ----------
    box : Box
        x0, y0, x1, y1 in pixels of the frame.
    eyes : pair of (x, y), optional
        The subject's right and left eye. Without them the square is upright, and the landmarks in
        it tell how it should be turned, see :func:`region_from_landmarks`.
    """
    x0, y0, x1, y1 = box
    long_side = max(x1 - x0, y1 - y0)
    angle = _tilt(*eyes) if eyes else 0.0
    x = (x0 + x1) / 2 - math.sin(angle) * _BOX_DROP * long_side
    y = (y0 + y1) / 2 + math.cos(angle) * _BOX_DROP * long_side
    return FaceRegion(x, y, max(long_side * _SCALE * _BOX_SCALE, 1.0), angle)


def region_from_landmarks(landmarks: NDArray[np.floating]) -> FaceRegion:
    """Return the square about the landmarks of a face: where to look in the next frame.

    Parameters
    ----------
    landmarks : ndarray, shape (478, 2) or (478, 3)
        In pixels of the frame.
    """
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    x, y = (low + high) / 2
    right, left = landmarks[_RIGHT_EYE, :2], landmarks[_LEFT_EYE, :2]
    side = max(float((high - low).max()) * _SCALE, 1.0)
    return FaceRegion(float(x), float(y), side, _tilt(tuple(right), tuple(left)))


def _tilt(right: tuple[float, ...], left: tuple[float, ...]) -> float:
    return math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
