"""Calibration: a temperature, the confidence below which no label fits, and the margin of two."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...config import CalibrationConfig
from ...inference.scorer import softmax_scores

__all__ = ["fit_calibration", "fit_margin", "offered_subsets"]

N_OFFERED = 4
"""Labels that are offered at a time when abstention is fitted and measured."""


def fit_calibration(
    similarities: NDArray[np.float64],
    labels: NDArray[np.int64],
    logit_scale: float,
    keep: float,
    tell: float,
    caution: float = 1.0,
) -> CalibrationConfig:
    """Fit on validation data.

    Parameters
    ----------
    similarities : ndarray, (N, C)
        Cosine similarities of clips and all C classes.
    labels : ndarray of int, (N,)
    logit_scale : float
        Inverse temperature of eq. 1 as trained.
    keep : float
        Share of the clips whose label is among the offered ones that must not be refused.
    tell : float
        See :func:`fit_margin`.
    caution : float
        What the temperature is multiplied by, for data on which a model is right less often.

    Returns
    -------
    CalibrationConfig
        The temperature of the least negative log-likelihood (Guo et al. 2017), and the threshold
        on :attr:`Prediction.confidence`, drawn over random sets of `N_OFFERED` labels; the margin.
    """
    best, temperature = np.inf, 1.0
    for candidate in np.geomspace(0.1, 10, 401):
        scores = softmax_scores(similarities, logit_scale / candidate)
        loss = -np.log(np.maximum(scores[np.arange(len(labels)), labels], 1e-12)).mean()
        if loss < best:
            best, temperature = loss, float(candidate)
    temperature *= caution
    scores = softmax_scores(similarities, logit_scale / temperature)
    fits = [confidence[inside] for confidence, inside in offered_subsets(scores, labels)]
    threshold = float(np.quantile(np.concatenate(fits), 1 - keep))
    margin = fit_margin(scores, labels, tell)
    return CalibrationConfig(round(temperature, 4), round(threshold, 4), margin)


def fit_margin(scores: NDArray[np.float64], labels: NDArray[np.int64], tell: float) -> float:
    """Fit from how far apart on two scores tell their labels apart.

    Of the clips whose label is one of the two best, the logarithm of how often the best one is
    right, over how often the second one is, grows with the difference d of the logarithms of their
    scores: its slope is fitted (logistic regression without an intercept). With calibrated scores
    it is 1.

    Parameters
    ----------
    scores : ndarray, (N, C)
        Calibrated, of all classes.
    labels : ndarray of int, (N,)
    tell : float
        In [0.5, 1). The margin is where the best one is right in this share of the cases.

    Returns
    -------
    float
        The margin in d; 0 where the second one is never right.
    """
    order = np.argsort(-scores, axis=1)[:, :2]
    best, second = (np.take_along_axis(scores, order[:, i : i + 1], 1)[:, 0] for i in (0, 1))
    d = np.log(np.maximum(best, 1e-12)) - np.log(np.maximum(second, 1e-12))
    right = order == labels[:, None]
    d, sign = d[right.any(axis=1)], np.where(right[right.any(axis=1), 0], 1.0, -1.0)
    if not (sign < 0).any():
        return 0.0
    slopes = np.geomspace(0.05, 20, 601)
    losses = [np.logaddexp(0, -sign * slope * d).mean() for slope in slopes]
    slope = float(slopes[int(np.argmin(losses))])
    return round(float(np.log(tell / (1 - tell))) / slope, 4)


def offered_subsets(
    scores: NDArray[np.float64], labels: NDArray[np.int64], rounds: int = 20, seed: int = 0
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Offer random sets of labels; yield confidences (N,) and whether the true label is offered.

    `scores` (N, C) are those of all classes; the confidence of a set is the best one in it, since
    the classes that are not offered compete all the same.
    """
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        offered = rng.choice(scores.shape[1], N_OFFERED, replace=False)
        yield scores[:, offered].max(axis=1), np.isin(labels, offered)
