"""MAE, RMSE and PCC over interviews, with intervals by the bootstrap over patients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.bootstrap import interval

__all__ = ["RATING_FIGURES", "score_figures", "shuffled_rows"]

RATING_FIGURES = ("mae", "rmse", "pcc")
Numbers = NDArray[np.float64]


def score_figures(
    ratings: Numbers,
    predicted: Numbers,
    patients: NDArray[np.str_],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare predictions of one score with its ratings.

    Parameters
    ----------
    ratings, predicted : ndarray, (N,)
        Interviews with a NaN in either are left out.
    patients : ndarray of str, (N,)
        The bootstrap draws patients, with all their interviews: those of one patient are alike.
    draws, seed : int

    Returns
    -------
    dict
        ``n`` interviews, ``mae``, ``rmse``, ``pcc`` (Pearson's correlation) and ``intervals`` of
        the three, 95 %. None where there is none: PCC needs two interviews that differ.
    """
    known = ~(np.isnan(ratings) | np.isnan(predicted))
    y, p = ratings[known], predicted[known]
    names, owner = np.unique(patients[known], return_inverse=True)
    rng = np.random.default_rng(seed)
    n = len(names)
    times = (
        np.stack(
            [np.ones(n), *(np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws))]
        )
        if n
        else np.zeros((1, 0))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = _weighted(y, p, times[:, owner])
    return {
        "n": len(y),
        **{key: _number(values[0]) for key, values in figures.items()},
        "intervals": {key: interval(values[1:]) for key, values in figures.items()},
    }


def _weighted(y: Numbers, p: Numbers, weights: Numbers) -> dict[str, Numbers]:
    """Return each figure for each row of weights (draws, N)."""
    total = weights.sum(axis=1)

    def mean(values: Numbers) -> Numbers:
        return np.asarray((weights * values).sum(axis=1) / total)

    error = p - y
    dy, dp = y - mean(y)[:, None], p - mean(p)[:, None]
    spread = np.sqrt(mean(dy**2) * mean(dp**2))
    # Rounding leaves a constant some spread; a correlation with it would be noise.
    pcc = np.where(spread > 1e-12, mean(dy * dp) / spread, np.nan)
    return {"mae": mean(np.abs(error)), "rmse": np.sqrt(mean(error**2)), "pcc": pcc}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def shuffled_rows(patients: NDArray[np.str_], seed: int) -> NDArray[np.intp]:
    """Deal the ratings of all interviews out anew, so that no patient keeps one of its own.

    Returns
    -------
    ndarray, (N,)
        The interview whose ratings each interview gets. Where one patient has more than half of
        the interviews, some keep their own.
    """
    rng = np.random.default_rng(seed)
    best = np.arange(len(patients))
    fewest = len(patients)
    for _ in range(1000):
        rows = rng.permutation(len(patients))
        # Those that met their own patient swap with anyone; most of them are gone after that.
        for i in np.flatnonzero(patients[rows] == patients):
            j = int(rng.integers(len(rows)))
            rows[i], rows[j] = rows[j], rows[i]
        own = int((patients[rows] == patients).sum())
        if own < fewest:
            best, fewest = rows, own
        if not own:
            break
    return best
