"""Figures of a split while training: zero-shot recall, or the agreement with captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inference.scorer import cosine_similarities
from ...model import EmoCLIP
from ..data.datasets.clips import Clip
from ..evaluation.metrics import decide, recalls
from ..evaluation.prompts import class_vectors

__all__ = ["caption_figures", "class_scores", "label_figures"]


def class_scores(
    model: EmoCLIP,
    video: NDArray[np.float32],
    classes: Sequence[str],
    *,
    one_text: bool = False,
) -> NDArray[np.float64]:
    """Compare video embeddings (N, D) with class descriptions of the model's bank: (N, C).

    With `one_text`, with the first description of each class.
    """
    return cosine_similarities(video, class_vectors(model, classes, one_text=one_text))


def label_figures(
    scores: NDArray[Any], clips: Sequence[Clip], classes: tuple[str, ...], figure: str = "uar"
) -> dict[str, float]:
    """Return UAR and WAR of scores (N, C); a clip without a face counts as wrong.

    ``score``, by which epochs are compared, is the `figure` of the two.
    """
    labels = np.array([clip.label for clip in clips])
    figures = recalls(decide(scores), labels, classes)
    return {"score": figures[figure], "uar": figures["uar"], "war": figures["war"]}


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
