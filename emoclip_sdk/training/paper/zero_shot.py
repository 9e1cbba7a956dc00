"""Figures of a split while training: zero-shot recall, or the agreement with captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inference.scorer import cosine_similarities
from ...model import EmoCLIP
from ...prompts import LabelEncoder
from ..data.datasets.clips import Clip
from ..evaluation.metrics import decide, recalls

__all__ = ["caption_figures", "class_scores", "label_figures"]


def class_scores(
    model: EmoCLIP, video: NDArray[np.float32], classes: Sequence[str]
) -> NDArray[np.float64]:
    """Compare video embeddings (N, D) with class descriptions of the model's bank: (N, C).

    The model's own label encoder remembers texts; its text tower may have learned since, so this
    takes a new one.
    """
    encoder = LabelEncoder(model.prompts, lambda texts: model.encode_text(texts).cpu().numpy())
    vectors, _ = encoder.embed(list(classes))
    return cosine_similarities(video, vectors)


def label_figures(
    scores: NDArray[Any], clips: Sequence[Clip], classes: tuple[str, ...]
) -> dict[str, float]:
    """Return UAR and WAR of scores (N, C); a clip without a face counts as wrong.

    ``score``, by which epochs are compared, is the UAR.
    """
    labels = np.array([clip.label for clip in clips])
    figures = recalls(decide(scores), labels, classes)
    return {"score": figures["uar"], "uar": figures["uar"], "war": figures["war"]}


def caption_figures(
    model: EmoCLIP, video: NDArray[np.float32], captions: Sequence[str]
) -> dict[str, float]:
    """Return how often a clip's own caption is the nearest of all different ones (recall@1)."""
    distinct = list(dict.fromkeys(captions))
    scores = cosine_similarities(video, model.embed_text(distinct))
    best = decide(scores)
    hits = [i >= 0 and distinct[i] == own for i, own in zip(best, captions, strict=True)]
    recall = float(np.mean(hits))
    return {"score": recall, "recall@1": recall}
