"""Optimiser groups and learning-rate schedules shared by all training loops."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

__all__ = ["adamw", "cosine_lambda"]


def adamw(module: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """Build AdamW; vectors (biases, norms) and embeddings are not decayed."""
    embeddings = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    params = [p for p in module.parameters() if p.requires_grad]
    decayed = [p for p in params if p.ndim >= 2 and id(p) not in embeddings]
    rest = [p for p in params if p.ndim < 2 or id(p) in embeddings]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}],
        lr=lr,
        betas=(0.9, 0.98),
    )


def cosine_lambda(warmup: int, total: int) -> Callable[[int], float]:
    """Return the factor on the learning rate: linear warm-up, then half a cosine to 0."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

    return factor
