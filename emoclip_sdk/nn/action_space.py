"""A part of the joint space for what a face does: facial actions, their side and their order."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ActionSpaceConfig, TemporalConfig
from .shape import SHAPE_FEATURES
from .temporal import TemporalTransformer

__all__ = ["ActionSpace"]

_RIDGE = 0.01  # of the largest variance, so that no direction counts in which nothing is measured
TOKEN_SCALE = 0.02  # of class token and positions at the start, beside what they are added to


class ActionSpace(nn.Module):
    """Clips and texts by the facial actions that they show or name.

    An embedding has two halves of A numbers: which actions there are, and how they change. For a
    clip, the change is the first temporal moment of its frames: what is seen late less what is
    seen early. For a text, it is the second of two actions less the first ("a smile before the
    brows rise"); a text about one action names the same one twice. So a clip and its reverse have
    opposite changes, whatever their actions are.

    Parameters
    ----------
    text_length, text_width : int
        L and W of the text transformer, whose input and output at every token are read: a sentence
        encoder has hardly any use for what tells "before" from "after".
    sentence_width : int
        Size of the sentence embeddings that the text tower makes of it.
    max_frames : int
        Of a clip.
    config : ActionSpaceConfig

    Attributes
    ----------
    common, steady : Tensor, (2 A,)
        Mean of the unit embeddings of some clips, and the direction in which they differ least, so
        long that its product with the mean is 1. Zeros: nothing was measured.
    level : Tensor, ()
        Mean cosine of every text with these clips, see :meth:`set_level`.
    """

    common: Tensor
    steady: Tensor
    level: Tensor

    def __init__(
        self,
        text_length: int,
        text_width: int,
        sentence_width: int,
        max_frames: int,
        config: ActionSpaceConfig,
    ) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.size = 2 * width
        self.fc1 = nn.Linear(SHAPE_FEATURES, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.unseen = nn.Parameter(torch.zeros(width))
        self.temporal = _transformer(config, config.frame_layers, max_frames)
        self.token = nn.Linear(2 * text_width, width)
        self.reader = _transformer(config, config.text_layers, text_length)
        self.mentions = nn.Linear(width, 2 * width)
        self.reversed = nn.Linear(width, 1)
        self.sentence = nn.Sequential(
            nn.Linear(sentence_width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )
        self.about_actions = nn.Sequential(
            nn.Linear(sentence_width, width), nn.GELU(), nn.Linear(width, 1)
        )
        for name, shape in (("common", self.size), ("steady", self.size), ("level", ())):
            self.register_buffer(name, torch.zeros(shape))

    def frames(self, features: Tensor) -> Tensor:
        """Embed standardized shape features (..., F), NaN: none, to (..., A)."""
        shown = self.fc2(F.gelu(self.fc1(torch.nan_to_num(features))))
        return torch.where(torch.isfinite(features[..., :1]), shown, self.unseen)

    def pool(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool frames (B, T, A), mask (B, T), to clips (B, 2 A)."""
        if mask is None:
            mask = frames.new_ones(frames.shape[:2], dtype=torch.bool)
        weight = mask.to(frames.dtype)[..., None]
        n = weight.sum(dim=1).clamp(min=1)
        shown = self.temporal(frames, mask) + (frames * weight).sum(dim=1) / n
        time = torch.arange(frames.shape[1], device=frames.device, dtype=frames.dtype)[:, None]
        time = (time - (time * weight).sum(dim=1, keepdim=True) / n[:, None]) * weight
        change = 2 * (frames * time).sum(dim=1) / time.abs().sum(dim=1).clamp(min=1e-6)
        return torch.cat([shown, change], dim=-1)

    @staticmethod
    def tokens(inputs: Tensor, outputs: Tensor) -> Tensor:
        """Join what is read of each token, (N, L, W) both, to (N, L, 2 W)."""
        return torch.cat([F.layer_norm(inputs, inputs.shape[-1:]), outputs], dim=-1)

    def read(self, tokens: Tensor, mask: Tensor, sentences: Tensor) -> tuple[Tensor, ...]:
        """Read which action a text mentions first and which second, and if time runs backward.

        Parameters
        ----------
        tokens : Tensor, (N, L, 2 W)
            From :meth:`tokens`.
        mask : Tensor of bool, (N, L)
            True where there is one.
        sentences : Tensor, (N, S)
            Unit sentence embeddings of the same texts.

        Returns
        -------
        one, two : Tensor, (N, A)
        backward : Tensor, (N, 1)
            Logit of that what is mentioned second comes first.
        """
        named = self.sentence(sentences)
        seen = self.reader(self.token(tokens), mask)
        one, two = self.mentions(seen).chunk(2, dim=-1)
        return named + one, named + two, self.reversed(seen)

    def texts(self, tokens: Tensor, mask: Tensor, sentences: Tensor) -> Tensor:
        """Embed texts, parameters as in :meth:`read`, to (N, 2 A)."""
        return self.in_order(*self.read(tokens, mask, sentences))

    def leveled(self, texts: Tensor) -> Tensor:
        """Give texts (N, 2 A) the level of :meth:`set_level`: unit vectors."""
        texts = F.normalize(texts, dim=-1)
        missing = self.level - texts @ self.common
        return F.normalize(texts + missing[:, None] * self.steady, dim=-1)

    @torch.no_grad()
    def set_level(self, clips: Tensor, level: float) -> None:
        """Let every text have about the mean cosine `level` with some clips (N, 2 A).

        A text's mean cosine says nothing of a face, but it decides how high the text stands beside
        those about emotions. What a text is given or relieved of lies along the direction in which
        all clips are most alike, so that it tells none from another.
        """
        clips = F.normalize(clips.double(), dim=-1)
        mean, spread = clips.mean(dim=0), torch.cov(clips.T)
        spread += _RIDGE * spread.diagonal().max() * torch.eye(len(mean)).to(spread)
        steady = torch.linalg.solve(spread, mean)
        self.common.copy_(mean)
        self.steady.copy_(steady / (mean @ steady))
        self.level.fill_(level)

    @staticmethod
    def in_order(one: Tensor, two: Tensor, backward: Tensor) -> Tensor:
        """Embed what :meth:`read` returns: (N, 2 A)."""
        forward = 1 - 2 * backward.sigmoid()
        return torch.cat([one + two, forward * (two - one)], dim=-1) / 2

    def share(self, sentences: Tensor) -> Tensor:
        """Tell how far texts (N, S) are about facial actions, in [0, 1]: (N, 1)."""
        return self.about_actions(sentences * sentences.shape[-1] ** 0.5).sigmoid()


def _transformer(config: ActionSpaceConfig, layers: int, longest: int) -> TemporalTransformer:
    shapes = TemporalConfig(
        layers=layers,
        heads=config.heads,
        dim_head=config.width // config.heads,
        mlp_dim=2 * config.width,
        max_positions=longest + 1,  # the class token
    )
    transformer = TemporalTransformer(config.width, shapes)
    with torch.no_grad():
        for start in (transformer.cls_token, transformer.positions):
            start.mul_(TOKEN_SCALE)
    return transformer
