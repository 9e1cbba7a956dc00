"""Stage 2 of the recipe `mini`: contrastive training of the image tower on pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...config import ImageConfig
from ...nn import DualEncoder
from ..engine.depthwise import quicken_depthwise
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from ..engine.precision import pick_precision
from .augment import augment
from .settings import ImageSettings
from .training_set import Draw, TrainingSet, caption_loss

__all__ = ["ImageTask"]


@dataclass
class ImageTask:
    """Image tower, text head and logit scale learn; the text transformer stays frozen.

    Parameters
    ----------
    network : DualEncoder
        On the device of `data`; what is not trained is frozen in place.
    data : TrainingSet
    image : ImageConfig
    settings : ImageSettings
    frames : Tensor, (P, V, D), optional
        V random views of each picture, embedded by an image tower that stays as it is.
    """

    network: DualEncoder
    data: TrainingSet
    image: ImageConfig
    settings: ImageSettings
    frames: Tensor | None = None

    def __post_init__(self) -> None:
        self.module: nn.Module = self.network
        self._device = self.network.logit_scale.device
        freeze(self.network, self.settings.optim.lr)
        visual = self.network.towers.visual
        visual.to(memory_format=torch.channels_last)
        precision = pick_precision(self.settings.optim.precision, self._device)
        if precision == "bf16" and self._device.type == "cpu":
            quicken_depthwise(visual)
        self._encode = self.network.towers.encode_images
        if self.settings.compile:
            self._encode = torch.compile(self._encode, dynamic=False)

    def plan(self, seed: int) -> WeightedPlan:
        """Return the order in which pictures are drawn."""
        return WeightedPlan(
            weights=self.data.weights(self.settings.balance).cpu().numpy(),
            batch_size=self.settings.optim.batch_size,
            epochs=len(self.settings.sides),
            seed=seed,
        )

    def batches(self, plan: Plan) -> Iterator[tuple[int, Tensor]]:
        for epoch, rows in plan:
            yield self.settings.sides[epoch], torch.tensor(rows, device=self._device)

    def train(self) -> None:
        self.network.eval()
        if self.frames is None:
            self.network.towers.visual.train()

    def backward(self, batch: tuple[int, Tensor], amp: Amp) -> Tensor:
        (side, rows), settings = batch, self.settings
        if self.frames is not None:
            frames = self.data.sequences(self.frames, rows, torch.ones_like(rows)).clips[:, 0]
        else:
            views = augment(self.data.pictures(rows), self.image, side)
            with amp.autocast():
                frames = self._encode(views.contiguous(memory_format=torch.channels_last)).float()
        draw = Draw(settings.captions, settings.text_noise, settings.actions)
        loss = caption_loss(frames, self.network, self.data, rows, draw)
        amp.scaler.scale(loss).backward()
        return loss.detach()
