"""Shapes of faces beside frame embeddings, for a shape stream that learns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import DatasetError
from ...model import EmoCLIP
from ...nn.shape import ShapeStream

__all__ = ["fuse_frames", "standardize"]

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
