"""Curves from cosine similarity to probability, by scikit-learn and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.evaluation.presence import fit_curve, presence_error


@pytest.fixture
def labeled():
    rng = np.random.default_rng(0)
    similarities = rng.normal(0.3, 0.1, (400, 3))
    shown = rng.random((400, 3)) < 1 / (1 + np.exp(6.5 - 20 * similarities))
    return similarities, shown


def test_a_curve_is_that_of_logistic_regression(labeled):
    linear = pytest.importorskip("sklearn.linear_model")
    similarities, shown = labeled
    scale, level = fit_curve(similarities, shown)
    other = linear.LogisticRegression(C=1e9, tol=1e-10, max_iter=1000)
    other.fit(similarities.reshape(-1, 1), shown.ravel())
    assert scale == pytest.approx(other.coef_[0, 0], rel=5e-3)
    assert level == pytest.approx(-other.intercept_[0], rel=5e-3)


def test_a_curve_of_pictures_that_are_all_told_apart_is_finite():
    scale, level = fit_curve(np.array([0.1, 0.2, 0.4, 0.5]), np.array([False, False, True, True]))
    assert 0 < scale < 1e4 and 0.2 < level / scale < 0.4


def test_calibration_error(labeled):
    similarities, shown = labeled
    scores = 1 / (1 + np.exp(5 - 20 * similarities))
    # By hand: all in one bin, the mean probability 0.51, half of it is shown.
    assert presence_error(np.array([0.5, 0.52] * 2), np.array([True, False] * 2)) == pytest.approx(
        0.01
    )
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    expected = functional.binary_calibration_error(
        torch.from_numpy(scores.ravel()), torch.from_numpy(shown.ravel().astype(int)), n_bins=15
    )
    assert presence_error(scores, shown) == pytest.approx(float(expected), abs=1e-6)
