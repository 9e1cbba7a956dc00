"""Short clips made of still pictures: an expression that lasts a moment on a face at rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import DatasetError
from ..data.ferplus import Pictures
from ..data.frames import warp

__all__ = ["PictureSequences", "picture_sequences"]

CALM = 0.7
"""Share of votes for "neutral" from which on a picture is a face at rest."""

# What a tracked face does from one frame to the next, and a detector's box on it.
ROTATION = 4.0  # degrees, either way
SCALE = 0.05  # share of the side
SHIFT = 0.03  # share of the side
GAIN = 0.1  # share of the contrast
BRIGHTNESS = 12.0  # of 255


@dataclass(frozen=True)
class PictureSequences:
    """N clips of T frames.

    Attributes
    ----------
    crops : ndarray of uint8, (N * T, S, S, 3)
        The frames, clip after clip. Each is a view of its own: none is used twice.
    labels : ndarray of int, (N,)
        What a clip shows: its expression, or neutral where it has none.
    expressive : ndarray of bool, (N, T)
        In which frames the expression is seen; none in a clip of a face at rest.
    """

    crops: NDArray[np.uint8]
    labels: NDArray[np.int64]
    expressive: NDArray[np.bool_]


def picture_sequences(
    pictures: Pictures, count: int, *, length: int = 16, apex: int = 4, seed: int = 0
) -> PictureSequences:
    """Draw clips in which `apex` consecutive frames of `length` are expressive.

    `count` pictures are drawn, so the clips have the labels of the split in its own proportions: a
    rule that always or never sees an expression does not win. A picture with an expression is seen
    in `apex` frames that begin anywhere, and one other picture of a face at rest (votes for neutral
    above `CALM`) in all the rest. A neutral picture is seen in all frames. Each frame is a light
    random view: rotation, scale, shift, contrast and brightness. The same seed gives the same
    clips, to the bit.

    Parameters
    ----------
    pictures : Pictures
    count : int
        Pictures to draw; all of them where there are fewer.
    length, apex : int
        Frames.
    seed : int

    Raises
    ------
    DatasetError
        No picture shows a face at rest, or the classes don't name neutral.
    """
    if "neutral" not in pictures.classes:
        raise DatasetError("clips from pictures need a class 'neutral'")
    neutral = pictures.classes.index("neutral")
    calm = np.flatnonzero(pictures.votes[:, neutral] > CALM)
    if not len(calm):
        raise DatasetError(f"no picture has more than {CALM:.0%} of its votes for neutral")
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(pictures))[:count]
    labels = pictures.labels[drawn]
    start = rng.integers(0, length - apex + 1, len(drawn))
    at = np.arange(length)
    expressive = (at >= start[:, None]) & (at < start[:, None] + apex)
    expressive &= (labels != neutral)[:, None]
    rest = np.where(labels == neutral, drawn, rng.choice(calm, len(drawn)))
    rows = np.where(expressive, drawn[:, None], rest[:, None]).ravel()
    crops = np.empty((len(rows), *pictures.images.shape[1:], 3), np.uint8)
    for first in range(0, len(rows), 512):  # floats of all frames at once would take a gigabyte
        part = rows[first : first + 512]
        crops[first : first + 512] = _views(pictures.images[part], rng)[..., None]
    return PictureSequences(crops, labels, expressive)


def _views(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one view of each gray picture (N, S, S)."""
    n = len(images)
    angle = rng.uniform(-ROTATION, ROTATION, n) * math.pi / 180
    scale = 1 + rng.uniform(-SCALE, SCALE, n)
    x, y = 2 * rng.uniform(-SHIFT, SHIFT, (2, n))  # affine_grid's unit is half a side
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    maps = np.stack([np.stack([cos, -sin, x], 1), np.stack([sin, cos, y], 1)], axis=1)
    moved = warp(torch.from_numpy(images[..., None]), torch.from_numpy(maps).float())[..., 0]
    gain = _column(1 + rng.uniform(-GAIN, GAIN, n))
    shift = _column(rng.uniform(-BRIGHTNESS, BRIGHTNESS, n))
    mean = moved.mean(dim=(1, 2), keepdim=True)
    lit = (moved - mean) * gain + mean + shift
    return lit.round().clamp(0, 255).to(torch.uint8).numpy()


def _column(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values).float()[:, None, None]
