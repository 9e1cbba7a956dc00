"""What the probe has to beat: the mean rating, ridge and SVR on the mean of the clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import EmoCLIPError, MissingDependencyError
from .folds import Fold, Ledger

try:
    from sklearn.base import BaseEstimator, TransformerMixin
except ImportError:
    raise MissingDependencyError("sklearn", "train", "A probe's baseline") from None

__all__ = ["REGRESSORS", "LedgerStep", "predict_baseline"]

REGRESSORS = ("mean", "ridge", "svr")


class LedgerStep(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of a pipeline that writes into the ledger what it is fitted on.

    The first column of X is the number of the interview. It travels with the row from step to step,
    so that what is written is what has arrived and not what was meant to.

    Parameters
    ----------
    step : estimator
        A transformer or a regressor.
    ledger : Ledger
    what : str
    fold : int
    """

    def __init__(self, step: Any, ledger: Ledger, what: str, fold: int) -> None:
        self.step = step
        self.ledger = ledger
        self.what = what
        self.fold = fold

    def fit(self, X: NDArray[np.float64], y: Any = None) -> LedgerStep:
        """Fit the step."""
        self.ledger.record(self.what, self.fold, X[:, 0])
        self.step_ = self.step.fit(X[:, 1:], y)
        return self

    def transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform the features and pass the numbers on."""
        return np.hstack([X[:, :1], self.step_.transform(X[:, 1:])])

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict from the features."""
        return np.asarray(self.step_.predict(X[:, 1:]), np.float64)


def predict_baseline(
    name: str,
    pooled: NDArray[np.float64],
    targets: NDArray[np.float64],
    folds: Sequence[Fold],
    ledger: Ledger,
    settings: Mapping[str, Any],
) -> NDArray[np.float64]:
    """Predict every interview by a regressor that was fitted without its patient.

    Parameters
    ----------
    name : {"mean", "ridge", "svr"}
    pooled : ndarray, (N, D)
        Mean of each interview's clips.
    targets : ndarray, (N, S)
        NaN where missing. Each score has a regressor of its own, fitted where it is rated.
    folds, ledger
    settings : mapping
        ``baselines`` of the recipe: arguments of scikit-learn's RidgeCV and SVR.

    Returns
    -------
    ndarray, (N, S)
        NaN where a fold's training side has no rating.
    """
    from sklearn.pipeline import Pipeline

    numbered = np.hstack([np.arange(len(pooled))[:, None], pooled])
    out = np.full(targets.shape, np.nan)
    for number, fold in enumerate(folds):
        for column in range(targets.shape[1]):
            rows = fold.train[~np.isnan(targets[fold.train, column])]
            if not len(rows):
                continue
            steps = [
                (what, LedgerStep(step, ledger, f"{what} of {name}", number))
                for what, step in _steps(name, settings)
            ]
            fitted = Pipeline(steps).fit(numbered[rows], targets[rows, column])
            out[fold.test, column] = fitted.predict(numbered[fold.test])
    return out


def _steps(name: str, settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    regressors: dict[str, Callable[..., Any]] = {"ridge": RidgeCV, "svr": SVR}
    if name == "mean":
        return [("regressor", DummyRegressor())]
    try:
        return [
            ("scaler", StandardScaler()),
            ("regressor", regressors[name](**settings[name])),
        ]
    except (KeyError, TypeError) as error:
        raise EmoCLIPError(f"recipe: 'baselines.{name}' does not fit ({error})") from error
