"""Stage 4 of the recipe `mini`: the temporal module, on still pictures in a row and on talk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import ImageConfig
from ...inference.encoder import runnable
from ...nn import DualEncoder, preprocess
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from .augment import augment
from .settings import TemporalSettings
from .training_set import Draw, Sequences, TrainingSet, caption_loss, steps_plan

__all__ = ["Talking", "TemporalTask", "embed_pictures", "embed_views"]

log = logging.getLogger(__name__)

# Scale of class token and positions at the start: N(0, 1), as in the reference, would drown small
# towers' embeddings.
TOKEN_SCALE = 0.02

LEAST = 3  # frames of a clip in which somebody talks

BATCH = 32  # pictures: on a processor the layers of more do not stay in its cache


@dataclass(frozen=True)
class Talking:
    """Clips of heads that talk, for which the training set has captions.

    Attributes
    ----------
    frames : Tensor, (R, T, D)
        Their frame embeddings.
    share : float
        Of the clips drawn, the share of these.
    """

    frames: Tensor
    share: float

    def sequences(self, rows: Tensor, longest: int) -> Sequences:
        """Take of each of B clips a part of at most `longest` frames."""
        longest, device = min(longest, self.frames.shape[1]), rows.device
        length = torch.randint(LEAST, longest + 1, (len(rows),), device=device)
        room = self.frames.shape[1] - length
        start = (torch.rand(len(rows), device=device) * (room + 1)).long()
        at = torch.arange(longest, device=device)
        mask = at < length[:, None]
        place = (start[:, None] + at).clamp(max=self.frames.shape[1] - 1)
        clips = self.frames[rows[:, None], place]
        summary = (F.normalize(clips, dim=-1) * mask[..., None]).sum(1) / length[:, None]
        return Sequences(clips, mask, summary, torch.ones(len(rows), device=device))


@dataclass
class TemporalTask:
    """The temporal module learns on sequences of frame embeddings, and the text head with it.

    The caption belongs to the expressive frames, so the module learns to weigh them over neutral
    ones. A second term keeps the clip embedding near the expressive frames' mean, so that
    directions which no caption names survive. The text head is tuned along, because the
    image tower may have learned from the teacher's embeddings, and the shipped text tower is its
    student.

    A mouth that moves is no expression by itself: some clips are of heads that talk.

    Parameters
    ----------
    network : DualEncoder
        Towers as the stages before left them; a temporal module that has not learned.
    data : TrainingSet
        With captions read by the model's own text tower.
    frames : Tensor, (P, V, D)
        From :func:`embed_views`.
    settings : TemporalSettings
    talking : Talking, optional
    """

    network: DualEncoder
    data: TrainingSet
    frames: Tensor
    settings: TemporalSettings
    talking: Talking | None = None

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
        if self.talking is not None and drawn.mask.shape[1] >= LEAST:
            batch, drawn = self._with_talking(batch, drawn)
        deviation = drawn.clips[drawn.mask].std(dim=0)
        noise = torch.randn_like(drawn.clips) * deviation * settings.frame_noise
        with amp.autocast():
            video = self.network.temporal(drawn.clips + noise, drawn.mask).float()
        draw = Draw(1, settings.text_noise, settings.actions)
        loss = caption_loss(video, self.network, self.data, batch, draw, drawn.expressed)
        loss = loss + settings.keep * (1 - F.cosine_similarity(video, drawn.summary)).mean()
        amp.scaler.scale(loss).backward()
        return loss.detach()

    def _with_talking(self, batch: Tensor, drawn: Sequences) -> tuple[Tensor, Sequences]:
        """Put heads that talk in the place of the first samples."""
        assert self.talking is not None
        count, longest = round(self.talking.share * len(batch)), drawn.mask.shape[1]
        rows = torch.randint(len(self.talking.frames), (count,), device=self._device)
        said = self.talking.sequences(rows, longest)
        room = longest - said.mask.shape[1]
        merged = Sequences(
            torch.cat([F.pad(said.clips, (0, 0, 0, room)), drawn.clips[count:]]),
            torch.cat([F.pad(said.mask, (0, room)), drawn.mask[count:]]),
            torch.cat([said.summary, drawn.summary[count:]]),
            torch.cat([said.expressed, drawn.expressed[count:]]),
        )
        return torch.cat([len(self.data) + rows, batch[count:]]), merged


def embed_pictures(network: DualEncoder, pictures: Tensor, image: ImageConfig) -> Tensor:
    """Embed gray pictures (N, S, S), as a model that is finished does it: (N, D)."""
    tower = runnable(network.eval().towers.visual, torch.float32, image.size)
    crops = pictures[..., None].expand(-1, -1, -1, 3)
    with torch.no_grad():
        return torch.cat([tower(preprocess(part, image)) for part in crops.split(BATCH)])


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
