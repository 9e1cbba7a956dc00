"""The shape stage of the recipe `mini`: landmarks and blendshapes beside a finished image tower."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...errors import DatasetError
from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import crop_shapes
from ...nn import DualEncoder, contrastive_loss
from ...nn.blendshapes import BLENDSHAPES
from ...nn.face_landmarks import LANDMARKS
from ...nn.shape import SHAPE_FEATURES, shape_features
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from .settings import ShapeSettings
from .training_set import TrainingSet, steps_plan

__all__ = ["ShapeTask", "fused", "measure_shapes"]

log = logging.getLogger(__name__)

_BATCH = 256  # pictures
_LEAST_DEVIATION = 1e-4


@dataclass
class ShapeTask:
    """Shape stream, text head and logit scale learn; both towers stay as they are.

    The image tower has seen the training pictures and is surer of them than of others. Noise on
    its embeddings, and pictures of which it says nothing, keep the stream from leaving everything
    to it; pictures without a shape keep the model usable where no landmarks are found.

    Parameters
    ----------
    network : DualEncoder
        With towers that have learned; what is not trained is frozen in place, and the stream's
        mean and deviation are set from `shapes`.
    data : TrainingSet
        With captions read by the model's own text tower.
    frames : Tensor, (P, V, D)
        From :func:`~.temporal.embed_views`.
    shapes : Tensor, (P, V, F)
        From :func:`measure_shapes`.
    settings : ShapeSettings
    """

    network: DualEncoder
    data: TrainingSet
    frames: Tensor
    shapes: Tensor
    settings: ShapeSettings

    def __post_init__(self) -> None:
        self.module: nn.Module = self.network
        self._device = self.network.logit_scale.device
        self._views = torch.cat([self.frames, self.shapes], dim=2)
        stream = self.network.shape
        if stream is None:
            raise ValueError("the network has no shape stream")
        self._stream = stream
        measured = self.shapes[torch.isfinite(self.shapes[..., 0])]
        if not len(measured):
            raise DatasetError("no landmarks were found in the training pictures")
        stream.mean.copy_(measured.mean(dim=0))
        stream.deviation.copy_(measured.std(dim=0).clamp(min=_LEAST_DEVIATION))
        stream.gain.copy_(self.frames.square().mean().sqrt())
        self._deviation = self.frames.flatten(0, 1).std(dim=0)
        freeze(self.network, self.settings.optim.lr)

    def plan(self, seed: int) -> WeightedPlan:
        """Return the order in which samples are drawn: one epoch of `steps`."""
        return steps_plan(self.data, self.settings, seed)

    def batches(self, plan: Plan) -> Iterator[Tensor]:
        for _, rows in plan:
            yield torch.tensor(rows, device=self._device)

    def train(self) -> None:
        self.network.eval()

    def backward(self, batch: Tensor, amp: Amp) -> Tensor:
        settings, width = self.settings, self.network.width
        one = torch.ones_like(batch)
        drawn = self.data.sequences(self._views, batch, one, 0.0).clips[:, 0]
        frames, shapes = drawn.split([width, SHAPE_FEATURES], dim=1)
        frames = frames + torch.randn_like(frames) * self._deviation * settings.frame_noise
        shapes = shapes + torch.randn_like(shapes) * self._stream.deviation * settings.shape_noise
        has_shape = torch.isfinite(shapes[:, 0]) & ~self._chance(batch, settings.without_shape)
        blank = has_shape & self._chance(batch, settings.without_pixels)
        frames = frames * ~blank[:, None]
        captions, fits = self.data.captions(batch, settings.captions, settings.text_noise)
        with amp.autocast():
            added = self._stream(torch.nan_to_num(shapes)).float()
            text = self.network.towers.text_head(captions).float()
        video = frames + added * has_shape[:, None]
        loss = contrastive_loss(video, text, self.network.logit_scale, fits)
        amp.scaler.scale(loss).backward()
        return loss.detach()

    def _chance(self, batch: Tensor, share: float) -> Tensor:
        return torch.rand(len(batch), device=self._device) < share


def measure_shapes(pictures: NDArray[np.uint8], views: int) -> Tensor:
    """Measure the shape of the face in each gray picture, every second view mirrored.

    Parameters
    ----------
    pictures : ndarray of uint8, (P, S, S)
    views : int

    Returns
    -------
    Tensor, (P, V, F), float16
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
    features = torch.cat(parts)
    mirrored = _mirrored(features)
    return torch.stack([mirrored if view % 2 else features for view in range(views)], dim=1)


def fused(network: DualEncoder, frames: Tensor, shapes: Tensor) -> Tensor:
    """Add the shape stream's word to frame embeddings (P, V, D), where there is a shape."""
    if network.shape is None:
        return frames
    with torch.no_grad():
        parts = [
            network.shape.fuse(torch.cat([frame, shape], dim=-1))
            for frame, shape in zip(frames.split(_BATCH), shapes.split(_BATCH), strict=True)
        ]
    return torch.cat(parts)


def _mirrored(features: Tensor) -> Tensor:
    """Exchange left and right in shape features (P, F)."""
    landmarks, blendshapes = features.split([3 * LANDMARKS, len(BLENDSHAPES)], dim=1)
    points = landmarks.unflatten(1, (LANDMARKS, 3)) * torch.tensor([-1, 1, 1])
    # The mean face is symmetric: each point's partner is where its mirror image is.
    mean = landmarks[torch.isfinite(landmarks[:, 0])].float().mean(dim=0).view(LANDMARKS, 3)
    partner = torch.cdist(mean * torch.tensor([-1.0, 1, 1]), mean).argmin(dim=1)
    sides = {"Left": "Right", "Right": "Left"}
    names = [
        next((name.replace(a, b) for a, b in sides.items() if a in name), name)
        for name in BLENDSHAPES
    ]
    order = torch.tensor([BLENDSHAPES.index(name) for name in names])
    return torch.cat([points[:, partner].flatten(1), blendshapes[:, order]], dim=1)
