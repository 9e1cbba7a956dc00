"""Fitting of temperature and threshold on scores with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.inference.scorer import softmax_scores
from emoclip_sdk.training.evaluation.calibration import (
    fit_calibration,
    fit_margin,
    offered_subsets,
)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from a softmax at scale 8 of random similarities of eight classes."""
    rng = np.random.default_rng(0)
    similarities = rng.uniform(-1, 1, (4000, 8))
    scores = softmax_scores(similarities, 8.0)
    labels = np.array([rng.choice(8, p=row) for row in scores])
    return similarities, labels


def test_finds_the_temperature(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    result = fit_calibration(*drawn, logit_scale=20.0, keep=0.9, tell=0.6)
    cautious = fit_calibration(*drawn, logit_scale=20.0, keep=0.9, tell=0.6, caution=1.5)
    assert cautious.temperature == pytest.approx(1.5 * result.temperature, abs=1e-3)
    assert 20.0 / result.temperature == pytest.approx(8.0, rel=0.06)


def test_threshold_keeps_the_asked_share(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    similarities, labels = drawn
    result = fit_calibration(similarities, labels, logit_scale=8.0, keep=0.8, tell=0.6)
    scores = softmax_scores(similarities, 8.0 / result.temperature)
    kept, refused = [], []
    for confidence, inside in offered_subsets(scores, labels, seed=1):
        kept.append((confidence[inside] >= result.min_score).mean())
        refused.append((confidence[~inside] < result.min_score).mean())
    assert np.mean(kept) == pytest.approx(0.8, abs=0.03)
    assert np.mean(refused) > 0.3


def test_margin_is_where_the_better_label_is_right_as_often_as_asked(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    similarities, labels = drawn
    scores = softmax_scores(
        similarities, 8.0
    )  # the truth: two labels' odds are their scores' ratio
    assert fit_margin(scores, labels, 0.6) == pytest.approx(np.log(0.6 / 0.4), rel=0.1)
    assert fit_margin(scores, scores.argmax(axis=1), 0.6) == 0, "never wrong: always told apart"
