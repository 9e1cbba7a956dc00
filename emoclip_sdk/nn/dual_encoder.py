"""The whole network: towers, temporal module and logit scale."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from .shape import ShapeStream
from .temporal import build_temporal
from .towers import Towers

__all__ = ["DualEncoder"]


class DualEncoder(nn.Module):
    """EmoCLIP's video and text encoder (paper, section III-A).

    All embeddings are returned unnormalized: eq. 2 averages them before normalization.

    Parameters
    ----------
    config : ModelConfig
        Towers, shape stream and temporal module to build, with random weights.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.towers = Towers(config.towers)
        self.shape = ShapeStream(self.towers.width, config.shape) if config.shape else None
        self.temporal = build_temporal(self.towers.width, config.temporal)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def width(self) -> int:
        """D, size of the joint embedding space."""
        return self.towers.width

    def encode_frames(self, images: Tensor) -> Tensor:
        """Embed frames (N, 3, H, W) one by one, by their pixels alone, to (N, D)."""
        return self.towers.encode_images(images)

    def pool(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool frame embeddings (B, T, D) to clip embeddings (B, D); mask (B, T), True = frame."""
        return self.temporal(frames, mask)

    def attention(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return each frame's share in :meth:`pool`: (B, T)."""
        return self.temporal.attention(frames, mask)

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
        """Embed tokenized texts (N, L) to (N, D), see :meth:`Towers.encode_tokens`."""
        return self.towers.encode_tokens(tokens, head=head)
