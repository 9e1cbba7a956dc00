"""Contrastive losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["contrastive_loss"]


def contrastive_loss(
    video: Tensor, text: Tensor, logit_scale: Tensor, targets: Tensor | None = None
) -> Tensor:
    """Symmetric cross-entropy over the cosine-similarity matrix (paper, section III-A).

    Parameters
    ----------
    video : Tensor, (B, D)
        Clip embeddings, unnormalized.
    text : Tensor, (M, D)
        Text embeddings, unnormalized. Without `targets`, row i belongs to clip i.
    logit_scale : Tensor, ()
        Logarithm of the inverse temperature.
    targets : Tensor, (B, M), optional
        How well each text fits each clip, >= 0: e.g. the share of annotators whose vote the text
        expresses. Normalized per clip and, for the text-to-video half, per text. Texts and clips
        that fit nothing in the batch do not count.

    Returns
    -------
    Tensor, ()
        Mean of the video-to-text and the text-to-video loss.
    """
    logits = logit_scale.exp() * F.normalize(video, dim=-1) @ F.normalize(text, dim=-1).T
    if targets is None:
        targets = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
    return (_soft_cross_entropy(logits, targets) + _soft_cross_entropy(logits.T, targets.T)) / 2


def _soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    total = targets.sum(dim=1, keepdim=True)
    loss = -(targets / total.clamp(min=1e-6) * logits.log_softmax(dim=1)).sum(dim=1)
    fits = (total.squeeze(1) > 1e-6).to(loss.dtype)
    return (loss * fits).sum() / fits.sum().clamp(min=1)
