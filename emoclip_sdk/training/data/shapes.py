"""The shapes of faces in pictures, as the landmark network measures them."""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import crop_shapes
from ...nn.shape import SHAPE_FEATURES, shape_features

__all__ = ["measure_shapes"]

log = logging.getLogger(__name__)

_BATCH = 256  # pictures


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
        shapes = crop_shapes(landmarker, list(crops))
        features = torch.full((len(crops), SHAPE_FEATURES), float("nan"))
        for row, shape in enumerate(shapes):
            if shape is not None:
                landmarks = torch.from_numpy(shape.landmarks)[None]
                features[row] = shape_features(landmarks, torch.from_numpy(shape.blendshapes)[None])
        parts.append(features.half())
    return torch.cat(parts)
