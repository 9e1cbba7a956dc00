"""Shapes of faces: measured on pictures, and beside frame embeddings while a stream learns."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import DatasetError
from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import FaceShape, crop_shapes
from ...model import EmoCLIP
from ...nn.shape import SHAPE_FEATURES, ShapeStream, shape_features

__all__ = ["fuse_frames", "measure_shapes", "shape_rows", "standardize"]

log = logging.getLogger(__name__)

_BATCH = 256  # pictures

_LEAST_DEVIATION = 1e-4
_ROUNDING = 1e-3  # of a number that was float16 in the cache, relatively


def standardize(stream: ShapeStream, clips: Iterable[NDArray[np.floating[Any]]]) -> None:
    """Set the means and deviations of a new stream, and the size of what it is added to.

    Parameters
    ----------
    stream : ShapeStream
    clips : iterable of ndarray, each (T, D + F)
        Embeddings of pixels and shape features of the training clips' frames; NaN: no shape.

    Raises
    ------
    DatasetError
        There is no shape in any frame.
    """
    width = stream.fc2.out_features
    n, size, n_size = 0, 0.0, 0
    total, squares = np.zeros((2, len(stream.mean)))
    for clip in clips:
        frames, features = np.split(clip.astype(np.float64), [width], axis=1)
        size, n_size = size + float(np.square(frames).sum()), n_size + frames.size
        measured = features[np.isfinite(features[:, 0])]
        n += len(measured)
        total += measured.sum(axis=0)
        squares += np.square(measured).sum(axis=0)
    if n < 2:
        raise DatasetError(
            "no landmarks are found in the training clips, so there is nothing for a shape stream "
            "to learn from: are these pictures of faces? Without model.shape, pixels are enough"
        )
    mean = total / n
    deviation = np.sqrt(np.maximum(squares / n - mean**2, 0))
    # What varies less than the cache rounds would differ between training and use.
    least = np.maximum(_LEAST_DEVIATION, _ROUNDING * np.abs(mean))
    stream.mean.copy_(torch.from_numpy(mean))
    stream.deviation.copy_(torch.from_numpy(np.maximum(deviation, least)))
    stream.gain.fill_(np.sqrt(size / n_size))


def fuse_frames(model: EmoCLIP, rows: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Add what the shape stream says, as it is now, to the frame embeddings of clips.

    Parameters
    ----------
    model : EmoCLIP
    rows : sequence of ndarray, each (T, D + F)
        Embeddings of pixels and shape features; NaN: none.

    Returns
    -------
    list of ndarray, each (T, D)
        As :func:`~emoclip_sdk.training.data.cache.frame_embeddings` returns them.
    """
    stream = model.encoder.network.shape
    if stream is None:
        raise ValueError("the model has no shape stream")
    with torch.inference_mode():
        return [
            stream.fuse(torch.from_numpy(clip).to(model.encoder.device)).cpu().numpy()
            for clip in rows
        ]


def measure_shapes(pictures: NDArray[np.uint8]) -> Tensor:
    """Measure the shape of the face in each gray picture.

    Parameters
    ----------
    pictures : ndarray of uint8, (P, S, S)

    Returns
    -------
    Tensor, (P, F), float16
        :func:`~emoclip_sdk.nn.shape.shape_features`; NaN where there is no face.
    """
    log.info("measuring the shapes of %d pictures", len(pictures))
    landmarker = FaceLandmarker()
    parts = []
    for start in range(0, len(pictures), _BATCH):
        crops = np.repeat(pictures[start : start + _BATCH, ..., None], 3, axis=3)
        parts.append(shape_rows(crop_shapes(landmarker, list(crops))).half())
    return torch.cat(parts)


def shape_rows(shapes: Sequence[FaceShape | None]) -> Tensor:
    """Return the :func:`~emoclip_sdk.nn.shape.shape_features` of shapes (N, F); NaN: none."""
    rows = torch.full((len(shapes), SHAPE_FEATURES), float("nan"))
    for row, shape in zip(rows, shapes, strict=True):
        if shape is not None:
            landmarks = torch.from_numpy(shape.landmarks)[None]
            row[:] = shape_features(landmarks, torch.from_numpy(shape.blendshapes)[None])[0]
    return rows
