"""MAE, RMSE and PCC, their intervals over patients, and the shuffled control."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, mean_squared_error

from emoclip_sdk.training.ness.figures import score_figures, shuffled_rows


def test_figures_are_those_of_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    p = y + rng.normal(size=40)
    y[3], p[5] = np.nan, np.nan
    patients = np.array([f"p{i // 2}" for i in range(40)])
    result = score_figures(y, p, patients, draws=200)
    known = ~(np.isnan(y) | np.isnan(p))
    assert result["n"] == 38
    assert result["mae"] == pytest.approx(mean_absolute_error(y[known], p[known]))
    assert result["rmse"] == pytest.approx(mean_squared_error(y[known], p[known]) ** 0.5)
    assert result["pcc"] == pytest.approx(pearsonr(y[known], p[known]).statistic)
    for key, (low, high) in result["intervals"].items():
        assert low < result[key] < high


def test_bootstrap_draws_patients_not_interviews() -> None:
    rng = np.random.default_rng(0)
    # Ten interviews of each patient that are all alike tell as much as one.
    error = np.repeat(rng.normal(size=12), 10)
    y = rng.normal(size=120)
    patients = np.repeat([f"p{i}" for i in range(12)], 10)
    low, high = score_figures(y, y + error, patients)["intervals"]["mae"]
    alone = score_figures(y, y + error, np.arange(120).astype(str))["intervals"]["mae"]
    assert high - low > 2 * (alone[1] - alone[0])


def test_constant_predictions_have_no_correlation() -> None:
    result = score_figures(np.arange(5.0), np.full(5, 0.1), np.array(list("abcde")), draws=0)
    assert result["pcc"] is None and result["mae"] == pytest.approx(1.94)
    nothing = score_figures(np.full(2, np.nan), np.zeros(2), np.array(["a", "b"]), draws=5)
    assert nothing["n"] == 0 and nothing["mae"] is None and nothing["intervals"]["mae"] is None


def test_shuffling_leaves_nobody_their_own_ratings() -> None:
    patients = np.array(list("aabbbcccddef"))
    rows = shuffled_rows(patients, 0)
    assert sorted(rows) == list(range(12))
    assert not (patients[rows] == patients).any()
