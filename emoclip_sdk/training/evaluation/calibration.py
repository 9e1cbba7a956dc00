"""Calibration: a temperature, and the confidence below which none of the labels fits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...config import CalibrationConfig
from ...inference.scorer import softmax_scores

__all__ = ["fit_calibration", "offered_subsets"]

N_OFFERED = 4
"""Labels that are offered at a time when abstention is fitted and measured."""


def fit_calibration(
    similarities: NDArray[np.float64], labels: NDArray[np.int64], logit_scale: float, keep: float
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

    Returns
    -------
    CalibrationConfig
        The temperature of the least negative log-likelihood (Guo et al. 2017), and the threshold
        on :attr:`Prediction.confidence`, drawn over random sets of `N_OFFERED` labels.
    """
    best, temperature = np.inf, 1.0
    for candidate in np.geomspace(0.1, 10, 401):
        scores = softmax_scores(similarities, logit_scale / candidate)
        loss = -np.log(np.maximum(scores[np.arange(len(labels)), labels], 1e-12)).mean()
        if loss < best:
            best, temperature = loss, float(candidate)
    scores = softmax_scores(similarities, logit_scale / temperature)
    fits = [confidence[inside] for confidence, inside in offered_subsets(scores, labels)]
    threshold = float(np.quantile(np.concatenate(fits), 1 - keep))
    return CalibrationConfig(round(temperature, 4), round(threshold, 4))


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
