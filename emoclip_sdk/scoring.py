"""From embeddings to scores: cosine similarity and the softmax of eq. 1. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cosine_similarities", "softmax_scores"]


def cosine_similarities(
    video: NDArray[np.floating[Any]], text: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Compare clips (B, D) with labels (N, D), both unnormalised: (B, N) in [-1, 1]."""
    v = np.asarray(video, np.float64)
    t = np.asarray(text, np.float64)
    v = v / np.linalg.norm(v, axis=1, keepdims=True)
    t = t / np.linalg.norm(t, axis=1, keepdims=True)
    return np.asarray(v @ t.T)


def softmax_scores(
    similarities: NDArray[np.floating[Any]], logit_scale: float
) -> NDArray[np.float64]:
    """Turn cosine similarities (B, N) to scores (B, N) that sum to 1 over the labels (eq. 1)."""
    logits = logit_scale * np.asarray(similarities, np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    exp = np.exp(logits)
    return np.asarray(exp / exp.sum(axis=1, keepdims=True))
