"""What the training loops draw from: samples, each a picture or a clip, and captions for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ...nn import DualEncoder, contrastive_loss
from ..engine.plan import WeightedPlan
from .settings import ShapeSettings, TemporalSettings

__all__ = [
    "Draw",
    "Sequences",
    "TextEncoder",
    "TrainingSet",
    "add_noise",
    "caption_loss",
    "steps_plan",
]

# N texts to their embeddings (N, D), before the text head.
TextEncoder = Callable[[list[str]], Tensor]


@dataclass(frozen=True)
class Sequences:
    """Clips laid out over frame embeddings.

    Attributes
    ----------
    clips : Tensor, (B, T, D)
    mask : Tensor of bool, (B, T)
        True where there is a frame.
    summary : Tensor, (B, D)
        What a clip shows at its most expressive, as a mixture of unit frame embeddings.
    expressed : Tensor, (B,)
        How much of the sample's expression its clip shows, in [0, 1]; the rest is neutral.
    """

    clips: Tensor
    mask: Tensor
    summary: Tensor
    expressed: Tensor


class TrainingSet(Protocol):
    """N samples, each one picture or a clip, and captions for them.

    Embeddings of captions are unit vectors before the text head. The text encoder is frozen, so
    each sentence is read once; Gaussian noise of norm `noise` on the embeddings makes the
    image tower ignore what is particular to one wording.
    """

    def __len__(self) -> int: ...

    @property
    def posed(self) -> int:
        """How many of the pictures, the last ones, are of rendered heads that pose."""
        ...

    def weights(self, power: float) -> Tensor:
        """Weights (N,) that draw samples in proportion to (class size) ** -power."""
        ...

    def pictures(self, rows: Tensor) -> Tensor:
        """Return a gray picture of each of B samples: (B, S, S) uint8."""
        ...

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw `per_sample` captions for each of B samples, M in all.

        Embeddings (M, D), and how well each fits each sample (B, M). A row of N and more is a clip
        of a head that talks, where there are any.

        `expressed` (B,), see :class:`Sequences`; None: the samples as they are.
        """
        ...

    def action_captions(
        self, rows: Tensor, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor] | None:
        """Draw a caption of a facial action for each of B samples; None: there are none.

        As :meth:`captions`.
        """
        ...

    def all_pictures(self) -> Tensor:
        """Return the P pictures of all samples, (P, S, S) uint8; heads that pose come last."""
        ...

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float = 0.0, apex: int = 1
    ) -> Sequences:
        """Lay out clips of at most `length` (B,) frames.

        `frames` (P, V, D) holds the embeddings of V random views of each of `all_pictures`. In a
        share `neutral` of the clips the expression comes out of a neutral face and may go back,
        where the data know what neutral is. One that is there for `apex` frames or a quarter of
        the clip, whichever is more, counts in full.
        """
        ...


@dataclass(frozen=True)
class Draw:
    """What is drawn of the captions in one step.

    Attributes
    ----------
    captions : int
        For each sample.
    noise : float
        Norm of the Gaussian noise on their embeddings.
    actions : float
        Weight of the loss over captions of facial actions.
    """

    captions: int
    noise: float
    actions: float


def caption_loss(
    video: Tensor,
    network: DualEncoder,
    data: TrainingSet,
    rows: Tensor,
    draw: Draw,
    expressed: Tensor | None = None,
) -> Tensor:
    """Contrast samples with captions, and apart from these with captions of single actions.

    A caption from votes says what an emotion looks like; a caption of an action says what this face
    does. In one softmax each would deny what the other says: an angry face whose brows were not
    measured as low would no longer fit the description of anger.

    Parameters
    ----------
    video : Tensor, (B, D)
        Embeddings of the samples.
    network : DualEncoder
        Its text head and logit scale.
    data : TrainingSet
    rows : Tensor of int, (B,)
        Which samples they are.
    draw : Draw
    expressed : Tensor, (B,), optional
        See :class:`Sequences`.
    """
    head, scale = network.towers.text_head, network.logit_scale
    captions, fits = data.captions(rows, draw.captions, draw.noise, expressed)
    loss = contrastive_loss(video, head(captions).float(), scale, fits)
    if draw.actions and (drawn := data.action_captions(rows, draw.noise, expressed)):
        captions, fits = drawn
        loss = loss + draw.actions * contrastive_loss(video, head(captions).float(), scale, fits)
    return loss


def add_noise(captions: Tensor, noise: float) -> Tensor:
    """Add Gaussian noise of norm `noise` to embeddings (M, D)."""
    return captions + torch.randn_like(captions) * (noise / captions.shape[1] ** 0.5)


def steps_plan(
    data: TrainingSet, settings: ShapeSettings | TemporalSettings, seed: int
) -> WeightedPlan:
    """Return the order of a stage that draws samples for so many steps, as one epoch."""
    return WeightedPlan(
        weights=data.weights(settings.balance).cpu().numpy(),
        batch_size=settings.optim.batch_size,
        epochs=1,
        epoch_steps=settings.steps,
        seed=seed,
    )
