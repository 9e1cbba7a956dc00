"""From frame embeddings to one clip embedding: the paper's temporal transformer, or the mean."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import TemporalConfig

__all__ = ["FrameEnsemble", "TemporalTransformer", "build_temporal"]


class _Attention(nn.Module):
    """Pre-norm multi-head self-attention; qkv without bias, scale ``dim_head ** -0.5``."""

    def __init__(self, width: int, heads: int, dim_head: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * dim_head, bias=False)
        self.out = nn.Linear(heads * dim_head, width)

    def _heads(self, x: Tensor) -> tuple[Tensor, ...]:
        b, n, _ = x.shape
        qkv = self.qkv(self.norm(x)).view(b, n, 3, self.heads, -1)
        return qkv.permute(2, 0, 3, 1, 4).unbind()

    def weights(self, x: Tensor, attend: Tensor | None) -> Tensor:
        """Return the attention weights, mean over the heads: (B, N, N), rows sum to 1."""
        q, k, _ = self._heads(x)
        logits = q @ k.mT * q.shape[-1] ** -0.5
        if attend is not None:
            logits = logits.masked_fill(~attend, -torch.inf)
        return logits.softmax(dim=-1).mean(dim=1)

    def forward(self, x: Tensor, attend: Tensor | None) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self._heads(x)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=attend)
        return self.out(y.transpose(1, 2).reshape(b, n, -1))


class _FeedForward(nn.Sequential):
    """Pre-norm two-layer perceptron with the tanh form of GELU."""

    def __init__(self, width: int, mlp_dim: int) -> None:
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, mlp_dim),
            nn.GELU(approximate="tanh"),
            nn.Linear(mlp_dim, width),
        )


class _Layer(nn.Module):
    """Attention, then perceptron, each beside a skip connection."""

    def __init__(self, width: int, config: TemporalConfig) -> None:
        super().__init__()
        self.attention = _Attention(width, config.heads, config.dim_head)
        self.mlp = _FeedForward(width, config.mlp_dim)

    def forward(self, x: Tensor, attend: Tensor | None) -> Tensor:
        x = x + self.attention(x, attend)
        return x + self.mlp(x)


class TemporalTransformer(nn.Module):
    """The paper's temporal module (Foteinopoulou & Patras 2024, section III-A, fig. 1).

    A learnable class token is put in front of the frame embeddings, learnable positions are
    added, and the class token's output is the clip embedding. There is no final norm.

    Parameters
    ----------
    width : int
        D, size of the frame embeddings.
    config : TemporalConfig
        Depth, heads and widths.
    """

    def __init__(self, width: int, config: TemporalConfig) -> None:
        super().__init__()
        self.max_frames = config.max_positions - 1
        self.cls_token = nn.Parameter(torch.empty(width))
        self.positions = nn.Parameter(torch.empty(config.max_positions, width))
        for start in (self.cls_token, self.positions):
            nn.init.normal_(start)  # N(0, 1), as in the reference
        self.layers = nn.ModuleList(_Layer(width, config) for _ in range(config.layers))

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool frames to clips.

        Parameters
        ----------
        frames : Tensor, (B, T, D)
            Unnormalized frame embeddings, T <= ``max_frames``.
        mask : Tensor of bool, (B, T), optional
            True where there is a frame, False where there is padding.

        Returns
        -------
        Tensor, (B, D)
            Unnormalized clip embeddings.
        """
        x, attend = self._tokens(frames, mask)
        for layer in self.layers:
            x = layer(x, attend)
        return x[:, 0]

    def attention(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return how much the class token takes from each frame, over all layers.

        By attention rollout (Abnar & Zuidema 2020): the heads' mean and the skip connection, each
        one half, multiplied up layer by layer.

        Returns
        -------
        Tensor, (B, T)
            Shares that sum to 1; 0 where `mask` is False.
        """
        x, attend = self._tokens(frames, mask)
        same = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        flow = same
        for layer in self.layers:
            weights = cast(_Layer, layer).attention.weights(x, attend)
            flow = (weights + same) / 2 @ flow
            x = layer(x, attend)
        shares = flow[:, 0, 1:]
        return shares / shares.sum(dim=1, keepdim=True)

    def _tokens(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        b, t, _ = frames.shape
        if t > self.max_frames:
            raise ValueError(
                f"{t} frames in a clip, but the temporal module has {self.max_frames} positions"
            )
        x = torch.cat((self.cls_token.expand(b, 1, -1), frames), dim=1) + self.positions[: t + 1]
        if mask is None:
            return x, None
        # Every position may look at the class token and at real frames only.
        return x, F.pad(mask, (1, 0), value=True)[:, None, None, :]


class FrameEnsemble(nn.Module):
    """Mean of the frame embeddings, the paper's pooling for frozen CLIP and FaRL. No parameters."""

    max_frames: int | None = None

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Average (B, T, D) over the frames where `mask` (B, T) is True, to (B, D)."""
        if mask is None:
            return frames.mean(dim=1)
        weight = mask.to(frames.dtype).unsqueeze(-1)
        return (frames * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)

    def attention(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return each frame's share in the mean: (B, T)."""
        weight = frames.new_ones(frames.shape[:2]) if mask is None else mask.to(frames.dtype)
        return weight / weight.sum(dim=1, keepdim=True).clamp(min=1)


def build_temporal(width: int, config: TemporalConfig) -> FrameEnsemble | TemporalTransformer:
    """Build the pooling that `config` names."""
    if config.kind == "mean":
        return FrameEnsemble()
    return TemporalTransformer(width, config)
