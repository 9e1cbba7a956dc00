"""What one gets without looking at a face: the majority class, and chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ..data.datasets import Clip

__all__ = ["BLIND_BASELINES", "blind_scores"]

BLIND_BASELINES = ("majority", "random")
"""Baselines that see no video."""


def blind_scores(
    name: str, train: Sequence[Clip], n: int, n_classes: int, *, seed: int = 0
) -> NDArray[np.floating[Any]]:
    """Score `n` clips without looking at them.

    Parameters
    ----------
    name : {"majority", "random"}
        "majority": always the class that most of the training clips have. "random": uniform.
    train : sequence of Clip
        For the majority.
    seed : int
        For the random scores.

    Returns
    -------
    ndarray, (n, n_classes)

    Raises
    ------
    DatasetError
        No training clip has a label.
    """
    if name == "random":
        return np.random.default_rng(seed).random((n, n_classes))
    labels = [clip.label for clip in train if clip.label is not None]
    if not labels:
        raise DatasetError("the majority class comes from the training split, which has no labels")
    scores = np.zeros((n, n_classes))
    scores[:, np.bincount(labels).argmax()] = 1.0
    return scores
