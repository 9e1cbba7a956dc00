"""How well a face can be seen: its size, sharpness, light, and how much of it is in the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .boxes import Box, area

__all__ = ["FaceQuality", "QualityMean", "face_quality"]

_SIDE = 48  # pixels, at which sharpness is measured
# What counts fully: a face of so many pixels; the sharpness of a face in focus (with that of a
# face blurred by 5 % of its width, which counts nothing); mean luma.
_FULL_SIZE = 64.0
_BLURRED, _IN_FOCUS = 0.005, 0.2
_DARK, _GLARING = 0.12, 0.1


@dataclass(frozen=True)
class FaceQuality:
    """How well a face can be seen in a frame, or the means over some frames.

    Attributes
    ----------
    face_size : float
        Root of the box's area, in pixels.
    sharpness : float
        Variance of the Laplacian over the variance of luma, of the face at 48 x 48 pixels
        (after Pertuz et al. 2013, LAPV). Contrast and light cancel out, and so does the size of a
        face from about 96 pixels on; a smaller one lacks the details. In focus it is 0.2 to 0.5,
        blurred (Gaussian) by 1, 2 and 4 % of the face's width about 0.16, 0.05 and 0.01.
    brightness : float
        Mean luma (ITU-R BT.601) of the face, in [0, 1].
    outside : float
        Share of the box that is outside the picture, in [0, 1].
    score : float
        In [0, 1], for thresholds: the smallest of four parts, each cut to [0, 1]. Size / 64;
        log(sharpness / 0.005) / log(40); the smaller of brightness / 0.12 and
        (1 - brightness) / 0.1; 1 - outside.
    """

    face_size: float
    sharpness: float
    brightness: float
    outside: float
    score: float

    def to_dict(self) -> dict[str, float]:
        """Return JSON types."""
        return dict(vars(self))


def face_quality(
    crop: NDArray[np.uint8], box: Box, frame_size: tuple[int, int], margin: float = 0.0
) -> FaceQuality:
    """Say how well a face can be seen, from its crop.

    Parameters
    ----------
    crop : ndarray, shape (S, S, 3), uint8
        As :func:`face_crop` cut it out with `margin`.
    box : tuple of float
        x0, y0, x1, y1 in pixels of the frame.
    frame_size : (int, int)
        Width and height of the frame.
    margin : float
        As in :func:`face_crop`; it is left out.
    """
    from PIL import Image

    border = len(crop) * margin / (1 + 2 * margin)
    inner = (border, border, len(crop) - border, len(crop) - border)
    luma = Image.fromarray(crop).convert("L")
    face = np.asarray(luma.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=inner), np.float32)
    laplacian = 4 * face[1:-1, 1:-1] - face[:-2, 1:-1] - face[2:, 1:-1]
    laplacian -= face[1:-1, :-2] + face[1:-1, 2:]
    # A face of one gray level has no edges that could be sharp; 1 is the variance of rounding.
    sharpness = float(laplacian.var() / max(face.var(), 1.0))
    brightness = float(face.mean()) / 255
    width, height = frame_size
    visible = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], width), min(box[3], height))
    whole = area(box)
    seen = area(visible)
    outside = min(max(1 - seen / whole, 0.0), 1.0) if whole else 1.0
    parts = (
        math.sqrt(whole) / _FULL_SIZE,
        math.log(max(sharpness, _BLURRED) / _BLURRED) / math.log(_IN_FOCUS / _BLURRED),
        brightness / _DARK,
        (1 - brightness) / _GLARING,
        1 - outside,
    )
    score = min(max(min(parts), 0.0), 1.0)
    return FaceQuality(math.sqrt(whole), sharpness, brightness, outside, score)


class QualityMean:
    """The mean of each figure over frames that come one by one, the scores included."""

    def __init__(self, qualities: Iterable[FaceQuality] = ()) -> None:
        self._sums = np.zeros(len(fields(FaceQuality)))
        self._weight = 0.0
        for quality in qualities:
            self.add(quality)

    def add(self, quality: FaceQuality, weight: float = 1.0) -> None:
        """Take one more frame, or the mean of `weight` frames."""
        self._sums += weight * np.array(astuple(quality))
        self._weight += weight

    def mean(self) -> FaceQuality | None:
        """Return the means; None before the first frame."""
        return FaceQuality(*(self._sums / self._weight).tolist()) if self._weight else None
