"""The shape stage of the recipe `mini`: landmarks and blendshapes beside a finished image tower."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...errors import DatasetError
from ...nn import DualEncoder
from ...nn.blendshapes import BLENDSHAPES
from ...nn.face_landmarks import LANDMARKS
from ...nn.shape import SHAPE_FEATURES
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from .settings import ShapeSettings
from .training_set import Draw, TrainingSet, caption_loss, steps_plan

__all__ = ["ShapeTask", "fused", "mirrored_shapes", "views_of_shapes"]

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
        mean and deviation are set from `shapes` of what was photographed.
    data : TrainingSet
        With captions read by the model's own text tower.
    frames : Tensor, (P, V, D)
        From :func:`~.temporal.embed_views`.
    shapes : Tensor, (P, V, F)
        From :func:`views_of_shapes`.
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
        photographs = len(self.frames) - self.data.posed
        measured = self.shapes[:photographs]
        measured = measured[torch.isfinite(measured[..., 0])]
        if not len(measured):
            raise DatasetError("no landmarks were found in the training pictures")
        stream.mean.copy_(measured.mean(dim=0))
        stream.deviation.copy_(measured.std(dim=0).clamp(min=_LEAST_DEVIATION))
        frames = self.frames[:photographs]
        stream.gain.copy_(frames.square().mean().sqrt())
        self._deviation = frames.flatten(0, 1).std(dim=0)
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
        settings, network = self.settings, self.network
        rows = self.data.sequences(self._views, batch, torch.ones_like(batch)).clips[:, 0]
        draw = Draw(settings.captions, settings.text_noise, settings.actions)
        loss = caption_loss(self._embed(rows, amp), network, self.data, batch, draw)
        amp.scaler.scale(loss).backward()
        return loss.detach()

    def _embed(self, rows: Tensor, amp: Amp) -> Tensor:
        """Embed pixels and shapes (B, D + F) as training shows them: (B, D)."""
        settings = self.settings
        frames, shapes = rows.split([self.network.towers.width, SHAPE_FEATURES], dim=1)
        frames = frames + torch.randn_like(frames) * self._deviation * settings.frame_noise
        shapes = shapes + torch.randn_like(shapes) * self._stream.deviation * settings.shape_noise
        has_shape = torch.isfinite(shapes[:, 0]) & ~self._chance(rows, settings.without_shape)
        blank = has_shape & self._chance(rows, settings.without_pixels)
        with amp.autocast():
            added = self._stream(torch.nan_to_num(shapes)).float()
        return frames * ~blank[:, None] + added * has_shape[:, None]

    def _chance(self, batch: Tensor, share: float) -> Tensor:
        return torch.rand(len(batch), device=self._device) < share


def views_of_shapes(shapes: Tensor, views: int) -> Tensor:
    """Return `views` views of shapes (P, F), every second one mirrored: (P, V, F)."""
    mirrored = mirrored_shapes(shapes)
    return torch.stack([mirrored if view % 2 else shapes for view in range(views)], dim=1)


def fused(network: DualEncoder, frames: Tensor, shapes: Tensor) -> Tensor:
    """Add what the shape stream says to frame embeddings (..., D), where there is a shape."""
    if network.shape is None:
        return frames
    with torch.no_grad():
        parts = [
            network.shape.fuse(torch.cat([frame, shape], dim=-1))
            for frame, shape in zip(frames.split(_BATCH), shapes.split(_BATCH), strict=True)
        ]
    return torch.cat(parts)


def mirrored_shapes(features: Tensor) -> Tensor:
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
