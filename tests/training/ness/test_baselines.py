"""Baselines are scikit-learn's, fitted inside of each fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoclip_sdk.training.ness.baselines import predict_baseline
from emoclip_sdk.training.ness.folds import Ledger, make_folds

from .conftest import loaded


def test_ridge_is_scikit_learns_inside_of_each_fold(planted: Path) -> None:
    study, clips = loaded(planted)
    x, y = clips.moments[0], study.ratings[:, :1] / study.divisors[:1]
    folds = make_folds(study.patients, 3)
    settings = {"ridge": {"alphas": [0.1, 10.0]}}
    ledger = Ledger(study.patients)
    result = predict_baseline("ridge", x, y, folds, ledger, settings)
    assert set(ledger.seen) == {"scaler of ridge", "regressor of ridge"}
    for fold in folds:
        rows = fold.train[~np.isnan(y[fold.train, 0])]
        ours = make_pipeline(StandardScaler(), RidgeCV(alphas=[0.1, 10.0]))
        expected = ours.fit(x[rows], y[rows, 0]).predict(x[fold.test])
        np.testing.assert_allclose(result[fold.test, 0], expected)
