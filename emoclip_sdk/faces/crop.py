"""Cutting faces out of frames.

Pillow's resampling and not OpenCV's: it averages over the whole area when it shrinks (no
aliasing), takes boxes of subpixel position, is what CLIP's own preprocessing uses, and needs no
system library.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .boxes import Box

__all__ = ["center_crop", "face_crop"]

_MAX_SQUARE = 2**24  # pixels that are cut out at once
_ROWS = 256  # that are reduced at once


def face_crop(
    rgb: NDArray[np.uint8], box: Box, size: int, margin: float = 0.0
) -> NDArray[np.uint8]:
    """Cut a square about a face and bring it to `size`.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The frame.
    box : tuple of float
        x0, y0, x1, y1 in pixels; pixel i covers [i, i + 1).
    size : int
        Side of the result in pixels.
    margin : float
        Added on each side, as a fraction of the box's longer side.

    Returns
    -------
    ndarray, shape (size, size, 3), uint8
        The square about the box's center whose side is its longer side times (1 + 2 margin).
        Beyond the frame's border, the outermost pixels are repeated.
    """
    from PIL import Image

    x0, y0, x1, y1 = box
    side = max(max(x1 - x0, y1 - y0) * (1 + 2 * margin), 1.0)
    shrink = int(side // (3 * size))
    if side * side > _MAX_SQUARE and shrink > 1:
        # With a copy of Pillow's, and with what is missing beside a long strip, it would fill the
        # memory.
        smaller = _reduced(rgb, shrink)
        x0, y0, x1, y1 = (edge / shrink for edge in box)
        return face_crop(smaller, (x0, y0, x1, y1), size, margin)
    left = (x0 + x1 - side) / 2
    top = (y0 + y1 - side) / 2
    # The bicubic filter also looks at pixels outside of the square, two of the coarser grid.
    reach = math.ceil(2 * max(side / size, 1.0)) + 1
    first_x, first_y = math.floor(left) - reach, math.floor(top) - reach
    last_x, last_y = math.ceil(left + side) + reach, math.ceil(top + side) + reach
    rows, missing_rows = _span(first_y, last_y, rgb.shape[0])
    columns, missing_columns = _span(first_x, last_x, rgb.shape[1])
    region = np.ascontiguousarray(rgb[rows, columns])
    if any(missing_rows + missing_columns):
        region = np.pad(region, (missing_rows, missing_columns, (0, 0)), mode="edge")
    left, top = left - first_x, top - first_y
    crop = Image.fromarray(region).resize(
        (size, size),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        # Whole-number area averaging first, where it leaves the filter three pixels per pixel to
        # work on: several times faster, the same to a gray level or two.
        reducing_gap=3.0,
    )
    return np.array(crop)


def _reduced(rgb: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average blocks of `factor` x `factor` pixels, some rows at a time."""
    from PIL import Image

    step = factor * max(_ROWS // factor, 1)
    parts = [
        np.asarray(Image.fromarray(np.ascontiguousarray(rgb[i : i + step])).reduce(factor))
        for i in range(0, len(rgb), step)
    ]
    return np.concatenate(parts)


def center_crop(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize the short side to `size` and cut the middle square, as CLIP does.

    Returns
    -------
    ndarray, shape (size, size, 3), uint8
    """
    height, width = rgb.shape[:2]
    side = min(height, width)
    x0, y0 = (width - side) / 2, (height - side) / 2
    return face_crop(rgb, (x0, y0, x0 + side, y0 + side), size)


def _span(first: int, last: int, length: int) -> tuple[slice, tuple[int, int]]:
    """Part of first..last that is in 0..length, and how much is missing before and after it.

    There always is such a part: far outside, it is the outermost pixel.
    """
    start = min(max(first, 0), length - 1)
    stop = max(min(last, length), start + 1)
    missing = (last - first) - (stop - start)
    before = min(max(start - first, 0), missing)
    return slice(start, stop), (before, missing - before)
