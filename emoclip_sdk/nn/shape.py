"""The shape stream: what the geometry of a face adds to the embedding of its pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ShapeConfig
from .blendshapes import BLENDSHAPES
from .face_landmarks import LANDMARKS

__all__ = ["SHAPE_FEATURES", "ShapeStream", "shape_features"]

SHAPE_FEATURES = 3 * LANDMARKS + len(BLENDSHAPES)
"""F, numbers that describe the shape of a face."""

_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)  # corners; the subject's sides
_FAR = 5.0  # deviations: landmarks that are further off are errors


class ShapeStream(nn.Module):
    """The shape of a face to what it adds to the image tower's embedding, in the joint space.

    Landmarks say what blendshapes do not (a wrinkled nose, a frown), and blendshapes leave out
    whose face it is. Each number is standardized by its mean and deviation over the training
    faces, which are buffers, and so is the size of the image tower's embeddings beside which the
    stream has to be heard.

    Parameters
    ----------
    width : int
        D, size of the joint space.
    config : ShapeConfig
    """

    mean: Tensor
    deviation: Tensor
    gain: Tensor

    def __init__(self, width: int, config: ShapeConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(SHAPE_FEATURES))
        self.register_buffer("deviation", torch.ones(SHAPE_FEATURES))
        self.register_buffer("gain", torch.ones(()))
        self.fc1 = nn.Linear(SHAPE_FEATURES, config.hidden)
        self.fc2 = nn.Linear(config.hidden, width)

    def forward(self, features: Tensor) -> Tensor:
        """Map :func:`shape_features` (N, F) to (N, D)."""
        return self.gain * self.fc2(F.gelu(self.fc1(self.standardized(features))))

    def standardized(self, features: Tensor) -> Tensor:
        """Return :func:`shape_features` (..., F) in deviations of the training faces."""
        return ((features - self.mean) / self.deviation).clamp(-_FAR, _FAR)

    def fuse(self, rows: Tensor) -> Tensor:
        """Add what the stream says to frame embeddings, where there is a shape.

        Parameters
        ----------
        rows : Tensor, (..., D + F)
            Embeddings of pixels, and the :func:`shape_features` of the same faces; NaN: none.

        Returns
        -------
        Tensor, (..., D), float32
        """
        frames, features = rows.float().split([self.fc2.out_features, SHAPE_FEATURES], dim=-1)
        measured = torch.isfinite(features[..., :1])
        added = self(torch.nan_to_num(features)).float()
        return torch.where(measured, frames + added, frames)


def shape_features(landmarks: Tensor, blendshapes: Tensor) -> Tensor:
    """Describe shapes by numbers in which place, size and tilt of the face have no part.

    Parameters
    ----------
    landmarks : Tensor, (N, 478, 3)
        In pixels of any frame, y downwards.
    blendshapes : Tensor, (N, 52)
        In [0, 1].

    Returns
    -------
    Tensor, (N, F)
        Landmarks, the point between the eyes at 0 and the line through the eyes level and 1 long in
        the picture; then the blendshapes.
    """
    right = landmarks[:, _RIGHT_EYE].mean(dim=1)
    left = landmarks[:, _LEFT_EYE].mean(dim=1)
    axis = left[:, :2] - right[:, :2]
    distance = axis.norm(dim=1, keepdim=True).clamp(min=1e-6)
    cos, sin = (axis / distance).split(1, dim=1)
    centered = (landmarks - ((left + right) / 2)[:, None]) / distance[:, None]
    x, y, z = centered.unbind(dim=2)
    upright = torch.stack([cos * x + sin * y, cos * y - sin * x, z], dim=2)
    return torch.cat([upright.flatten(1), blendshapes], dim=1)
