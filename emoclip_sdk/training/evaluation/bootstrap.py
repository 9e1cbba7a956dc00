"""How far the figures would move with other clips of the same kind: the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import decide, fill_undecided

__all__ = ["LEVEL", "bootstrap_draws", "interval", "intervals", "mean_of_folds"]

LEVEL = 0.95
"""Coverage of the intervals."""

_CHUNK = 2_000_000  # numbers in the largest array


def bootstrap_draws(
    scores: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    *,
    draws: int = 1000,
    seed: int = 0,
    auc: bool = True,
) -> dict[str, NDArray[np.float64]]:
    """Draw the clips with replacement and compute the figures of each draw.

    The figures are those of :func:`~emoclip_sdk.training.evaluation.figures_of_merit`, computed
    from the numbers of times that each clip was drawn: a thousand draws of all of torchmetrics
    would take minutes. A class that a draw leaves out doesn't count in its means.

    Parameters
    ----------
    scores : ndarray, (N, C)
    labels : ndarray of int, (N,)
    draws : int
        0: none.
    seed : int
    auc : bool
        Draw the AUC as well, which takes most of the time.

    Returns
    -------
    dict of str to ndarray, (draws,)
        ``uar``, ``war``, ``f1`` and, where asked for, ``auc``.
    """
    n, count = scores.shape
    # One column more, for clips without a decision.
    width = count + 1
    cells = labels * width + decide(scores) % width
    filled = fill_undecided(scores)
    ranks = [_Ranks(filled[:, c], labels == c) for c in range(count)] if auc else []
    rng = np.random.default_rng(seed)
    figures: dict[str, list[NDArray[np.float64]]] = {key: [] for key in ("uar", "war", "f1")}
    if auc:
        figures["auc"] = []
    size = max(_CHUNK // max(n, count * width), 1)
    for start in range(0, draws, size):
        rows = min(size, draws - start)
        times = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(rows)])
        confusion = np.stack(
            [np.bincount(cells, weights=row, minlength=count * width) for row in times]
        ).reshape(rows, count, width)
        hits = confusion.diagonal(axis1=1, axis2=2)
        truth, guessed = confusion.sum(axis=2), confusion.sum(axis=1)[:, :count]
        figures["war"].append(hits.sum(axis=1) / n)
        figures["uar"].append(_mean_where(hits / np.maximum(truth, 1), truth > 0))
        figures["f1"].append(_mean_where(2 * hits / np.maximum(truth + guessed, 1), truth > 0))
        if auc:
            areas = np.stack([rank.areas(times) for rank in ranks], axis=1)
            figures["auc"].append(_mean_where(areas, np.isfinite(areas)))
    return {key: np.concatenate(parts) if parts else np.zeros(0) for key, parts in figures.items()}


def interval(draws: Sequence[float] | NDArray[np.float64]) -> list[float] | None:
    """Return the percentile interval [low, high] of :data:`LEVEL`; None without draws."""
    numbers = np.asarray(draws, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(numbers, [tail, 1 - tail])
    return [float(low), float(high)]


def intervals(
    draws: Mapping[str, Sequence[float] | NDArray[np.float64]],
) -> dict[str, list[float] | None]:
    """Return :func:`interval` of each figure."""
    return {key: interval(values) for key, values in draws.items()}


def mean_of_folds(draws: Sequence[Sequence[float]]) -> list[float] | None:
    """Return the interval of a mean over folds.

    Parameters
    ----------
    draws : sequence of sequence of float
        Each fold's draws. Test folds share no clip, so draw i of the mean is the mean of the
        folds' draws i.
    """
    shortest = min(map(len, draws), default=0)
    if not shortest:
        return None
    return interval(np.mean([fold[:shortest] for fold in draws], axis=0))


class _Ranks:
    """One class against the rest: the area under the ROC curve for clips counted many times."""

    def __init__(self, scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> None:
        self.order = np.argsort(scores, kind="stable")
        self.positive = positive[self.order]
        ordered = scores[self.order]
        # Each clip's group of equal scores: where it begins, and where the next one does.
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        group = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(ordered)]))
        self.begins = first[group][self.positive]
        self.ends = np.r_[first[1:], len(ordered)][group][self.positive]

    def areas(self, times: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return the area for each row of `times` (draws, N); NaN without one of both kinds."""
        weights = times[:, self.order].astype(np.float64)
        rest = np.where(self.positive, 0.0, weights)
        below = np.concatenate((np.zeros((len(times), 1)), rest.cumsum(axis=1)), axis=1)
        positives = weights[:, self.positive]
        # A pair with equal scores counts half.
        wins = (positives * (below[:, self.begins] + below[:, self.ends]) / 2).sum(axis=1)
        pairs = positives.sum(axis=1) * below[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(pairs > 0, wins / pairs, np.nan))


def _mean_where(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = where.sum(axis=1)
    total = np.where(where, values, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
