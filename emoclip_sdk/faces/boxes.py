"""Boxes of faces in a frame: x0, y0, x1, y1 in pixels, where pixel i covers [i, i + 1)."""

from __future__ import annotations

__all__ = ["Box", "area", "center", "interpolate", "iou"]

Box = tuple[float, float, float, float]


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (area(a) + area(b) - shared)


def interpolate(a: Box, b: Box, share: float) -> Box:
    """Return the box `share` (0..1) of the way from `a` to `b`."""
    x0, y0, x1, y1 = ((1 - share) * p + share * q for p, q in zip(a, b, strict=True))
    return x0, y0, x1, y1


def center(box: Box) -> tuple[float, float]:
    """Return x and y of the middle."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def area(box: Box) -> float:
    """Return the area, 0 for a box that is turned inside out."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
