"""Stage 3 of the recipe `mini`: the temporal module, on sequences made of still pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import ImageConfig
from ...inference.encoder import runnable
from ...nn import DualEncoder
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from .augment import augment
from .settings import TemporalSettings
from .training_set import Draw, TrainingSet, caption_loss, steps_plan

__all__ = ["TemporalTask", "embed_views"]

log = logging.getLogger(__name__)

# Scale of class token and positions at the start: N(0, 1), as in the reference, would drown small
# towers' embeddings.
TOKEN_SCALE = 0.02

BATCH = 32  # pictures: on a processor the layers of more do not stay in its cache


@dataclass
class TemporalTask:
    """The temporal module learns on sequences of frame embeddings, and the text head with it.

    The caption belongs to the expressive frames, so the module learns to weigh them over neutral
    ones. A second term keeps the clip embedding near the expressive frames' mean, so that
    directions which no caption names survive. The text head is tuned along, because the
    image tower may have learned from the teacher's embeddings, and the shipped text tower is its
    student.

    Parameters
    ----------
    network : DualEncoder
        Towers as the stages before left them; a temporal module that has not learned.
    data : TrainingSet
        With captions read by the model's own text tower.
    frames : Tensor, (P, V, D)
        From :func:`embed_views`.
    settings : TemporalSettings
    """

    network: DualEncoder
    data: TrainingSet
    frames: Tensor
    settings: TemporalSettings

    def __post_init__(self) -> None:
        self.module: nn.Module = self.network
        self._device = self.network.logit_scale.device
        with torch.no_grad():
            for name, parameter in self.network.temporal.named_parameters():
                if name in ("cls_token", "positions"):
                    parameter.mul_(TOKEN_SCALE)
        freeze(self.network, self.settings.optim.lr)

    def plan(self, seed: int) -> WeightedPlan:
        """Return the order in which samples are drawn: one epoch of `steps`."""
        return steps_plan(self.data, self.settings, seed)

    def batches(self, plan: Plan) -> Iterator[Tensor]:
        for _, rows in plan:
            yield torch.tensor(rows, device=self._device)

    def train(self) -> None:
        self.network.eval()
        self.network.temporal.train()

    def backward(self, batch: Tensor, amp: Amp) -> Tensor:
        settings, device = self.settings, self._device
        longest = int(torch.randint(1, settings.longest + 1, ()))
        length = torch.randint(1, longest + 1, (len(batch),), device=device)
        drawn = self.data.sequences(self.frames, batch, length, settings.neutral, settings.apex)
        deviation = drawn.clips[drawn.mask].std(dim=0)
        noise = torch.randn_like(drawn.clips) * deviation * settings.frame_noise
        with amp.autocast():
            video = self.network.temporal(drawn.clips + noise, drawn.mask).float()
        draw = Draw(1, settings.text_noise, settings.actions)
        loss = caption_loss(video, self.network, self.data, batch, draw, drawn.expressed)
        loss = loss + settings.keep * (1 - F.cosine_similarity(video, drawn.summary)).mean()
        amp.scaler.scale(loss).backward()
        return loss.detach()


def embed_views(
    network: DualEncoder, data: TrainingSet, image: ImageConfig, views: int, seed: int
) -> Tensor:
    """Embed `views` random views of each picture of `data`: (P, V, D)."""
    pictures = data.all_pictures()
    log.info("embedding %d views of %d pictures", views, len(pictures))
    tower = runnable(network.eval().towers.visual, torch.float32, image.size)
    torch.manual_seed(seed)
    parts = []
    with torch.no_grad():
        for part in pictures.split(BATCH):
            drawn = [augment(part, image, image.size) for _ in range(views)]
            parts.append(torch.stack([tower(view) for view in drawn], dim=1))
    return torch.cat(parts)
