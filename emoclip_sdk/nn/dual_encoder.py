"""The whole network: towers, shape stream, temporal module, space of actions and logit scale."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ModelConfig
from ..errors import CheckpointError
from .action_space import ActionSpace
from .causal_text import CausalText
from .shape import ShapeStream
from .temporal import build_temporal
from .towers import Towers

__all__ = ["DualEncoder"]


class DualEncoder(nn.Module):
    """EmoCLIP's video and text encoder (paper, section III-A).

    All embeddings are returned unnormalized: eq. 2 averages them before normalization.

    With a space of actions, the joint space has two parts. In the first, which is the paper's, all
    texts meet faces; the second is for texts about facial actions. Both parts of a clip are
    of one length, and a text has as much of either as it is about actions: where `s` is its share,
    `cos` and `cos'` the cosines in the parts, its own is ((1 - s) cos + s cos') / sqrt(2), but for
    a factor that keeps the length, sqrt((1 - s) ** 2 + s ** 2).

    Parameters
    ----------
    config : ModelConfig
        Towers, shape stream, temporal module and space of actions to build, with random weights.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.towers = Towers(config.towers)
        self.shape = ShapeStream(self.towers.width, config.shape) if config.shape else None
        self.temporal = build_temporal(self.towers.width, config.temporal)
        self.actions: ActionSpace | None = None
        if config.actions is not None:
            length, width = _text_size(self.towers)
            longest = config.temporal.max_positions - 1
            self.actions = ActionSpace(length, width, self.towers.width, longest, config.actions)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def width(self) -> int:
        """D, size of the joint embedding space."""
        return self.towers.width + (self.actions.size if self.actions else 0)

    @property
    def scale(self) -> float:
        """Inverse temperature of eq. 1; ``logit_scale`` is the logarithm of that in either part."""
        return float(self.logit_scale.exp()) * (math.sqrt(2) if self.actions else 1.0)

    def encode_frames(self, images: Tensor) -> Tensor:
        """Embed frames (N, 3, H, W) one by one, by their pixels alone, to (N, D)."""
        return self.join(self.towers.encode_images(images))

    def join(self, pixels: Tensor, features: Tensor | None = None) -> Tensor:
        """Join what is known of frames to frame embeddings.

        Parameters
        ----------
        pixels : Tensor, (..., W)
            From the image tower, W its width.
        features : Tensor, (..., F), optional
            :func:`~emoclip_sdk.nn.shape.shape_features` of the same faces; NaN: none.

        Returns
        -------
        Tensor, (..., D)
        """
        frames = pixels
        if features is not None and self.shape is not None:
            frames = self.shape.fuse(torch.cat([pixels, features], dim=-1))
        if self.actions is None:
            return frames
        shown = self.actions.unseen.expand(*pixels.shape[:-1], -1)
        if features is not None and self.shape is not None:
            shown = self.actions.frames(self.shape.standardized(features))
        return torch.cat([frames, shown, torch.zeros_like(shown)], dim=-1)

    def pool(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool frame embeddings (B, T, D) to clip embeddings (B, D); mask (B, T), True = frame."""
        if self.actions is None:
            return self.temporal(frames, mask)
        shown, actions, _ = self._parts(frames)
        clips = self.temporal(shown, mask)
        return torch.cat([clips, _as_long(self.actions.pool(actions, mask), clips)], dim=-1)

    def attention(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return each frame's share in :meth:`pool`, actions apart: (B, T)."""
        return self.temporal.attention(self._parts(frames)[0] if self.actions else frames, mask)

    def encode_video(self, clips: Tensor, mask: Tensor | None = None) -> Tensor:
        """Embed clips (B, T, 3, H, W) to (B, D). Padded frames are never computed."""
        b, t = clips.shape[:2]
        if mask is None:
            frames = self.encode_frames(clips.flatten(0, 1)).view(b, t, -1)
        else:
            real = self.encode_frames(clips[mask])
            frames = real.new_zeros(b, t, real.shape[-1])
            frames[mask] = real
        return self.pool(frames, mask)

    def encode_tokens(self, tokens: Tensor, *, head: bool = True) -> Tensor:
        """Embed tokenized texts (N, L) to (N, D); without `head` as the text tower has them.

        See :meth:`Towers.encode_tokens`.
        """
        if self.actions is None or not head:
            return self.towers.encode_tokens(tokens, head=head)
        inputs, outputs, end = self.towers.text.states(tokens)
        sentences = self.towers.text.project(outputs, end)
        texts, unit = self.towers.text_head(sentences), F.normalize(sentences, dim=-1)
        mask = torch.arange(outputs.shape[1], device=end.device) <= end[:, None]
        share = self.actions.share(unit)
        named = self.actions.texts(self.actions.tokens(inputs, outputs), mask, unit)
        actions = _as_long(self.actions.leveled(named), texts)
        whole = ((1 - share) ** 2 + share**2).sqrt()  # so that the length stays that of `texts`
        return torch.cat([(1 - share) * texts, share * actions], dim=-1) / whole

    def _parts(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        assert self.actions is not None
        half = self.actions.size // 2
        return frames.split([self.towers.width, half, half], dim=-1)


def _text_size(towers: Towers) -> tuple[int, int]:
    if not isinstance(towers.text, CausalText):
        raise CheckpointError(
            "actions: the text tower is none of CLIP's kind, whose tokens are read"
        )
    length, width = towers.text.positional_embedding.shape
    return length, width


def _as_long(vectors: Tensor, others: Tensor) -> Tensor:
    return F.normalize(vectors, dim=-1) * others.norm(dim=-1, keepdim=True)
