"""A study from clip embeddings to figures: folds, probe, baselines, the shuffled control."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .baselines import REGRESSORS, predict_baseline
from .clips import StudyClips
from .figures import score_figures, shuffled_rows
from .folds import Fold, Ledger, check_folds, check_ledger, make_folds
from .manifest import BEST_FILE, Study
from .perceptrons import FITTED, Perceptrons, PerceptronSettings, fit_perceptrons

__all__ = ["StudyResult", "fit_final", "run_study"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyResult:
    """What cross-validation found.

    Attributes
    ----------
    study : Study
    folds : tuple of Fold
    predictions : dict of str to ndarray (N, S)
        For each method, in the scores' own ranges.
    figures : dict
        By method and score, see :func:`~.figures.score_figures`.
    document : dict
        All of it that is not an array, for JSON.
    """

    study: Study
    folds: tuple[Fold, ...]
    predictions: dict[str, NDArray[np.float64]]
    figures: dict[str, dict[str, Any]]
    document: dict[str, Any]

    @property
    def fold_of(self) -> NDArray[np.intp]:
        """Number of the fold that tests each interview, from 1."""
        numbers = np.zeros(len(self.study.interviews), np.intp)
        for number, fold in enumerate(self.folds, start=1):
            numbers[fold.test] = number
        return numbers


def run_study(
    study: Study,
    clips: StudyClips,
    recipe: Mapping[str, Any],
    *,
    k: int | None = None,
    control: bool = True,
    draws: int = 1000,
) -> StudyResult:
    """Cross-validate the probe and the baselines on the same folds.

    Parameters
    ----------
    study : Study
    clips : StudyClips
        Of the same interviews.
    recipe : mapping
        The recipe ``ness``.
    k : int, optional
        Folds of patients; None leaves one patient out.
    control : bool
        Train the probe once more on ratings that were shuffled between patients.
    draws : int
        Of the bootstrap over patients.

    Raises
    ------
    LeakError
        A patient is on both sides of a fold, or something that was fitted has seen it.
    DatasetError
        Too few patients.
    """
    seed = int(recipe["seed"])
    settings = PerceptronSettings.read(recipe)
    patients = study.patients
    folds = make_folds(patients, k, seed)
    check_folds(folds, patients)
    targets = study.ratings / study.divisors
    seconds: dict[str, float] = {}
    predictions: dict[str, NDArray[np.float64]] = {}
    ratings = {}

    def timed(name: str, began: float) -> None:
        seconds[name] = round(time.monotonic() - began, 2)
        log.info("%s: %d folds in %.1f s", name, len(folds), seconds[name])

    began = time.monotonic()
    predictions["probe"] = _cross_validate(study, clips, targets, folds, settings, seed)
    timed("probe", began)
    ledger = Ledger(patients)
    for name in REGRESSORS:
        began = time.monotonic()
        predicted = predict_baseline(
            name, clips.moments[0], targets, folds, ledger, recipe["baselines"]
        )
        predictions[name] = _own_range(predicted, study)
        timed(name, began)
    check_ledger(ledger, folds, ())
    if control:
        began = time.monotonic()
        rows = shuffled_rows(patients, seed)
        ratings["shuffled"] = study.ratings[rows]
        predictions["shuffled"] = _cross_validate(
            study, clips, targets[rows], folds, settings, seed
        )
        timed("shuffled", began)
    figures = {
        name: {
            score.name: score_figures(
                ratings.get(name, study.ratings)[:, i], predicted[:, i], patients, draws=draws
            )
            for i, score in enumerate(study.scores)
        }
        for name, predicted in predictions.items()
    }
    document = {
        "scale": study.scale.name,
        "patients": len(np.unique(patients)),
        "interviews": len(patients),
        "clips": len(clips.vectors),
        "encoder": clips.encoder,
        "recipe": dict(recipe),
        "folds": len(folds),
        "scores": [score.name for score in study.scores],
        "best_possible": _best_possible(study),
        "figures": figures,
        "seconds": seconds,
    }
    return StudyResult(study, tuple(folds), predictions, figures, document)


def fit_final(study: Study, clips: StudyClips, recipe: Mapping[str, Any]) -> Perceptrons:
    """Train the probe that is handed on: one perceptron, on all patients."""
    everyone = Fold(np.arange(len(study.interviews)), np.zeros(0, np.intp))
    ledger = Ledger(study.patients)
    targets = study.ratings / study.divisors
    settings = PerceptronSettings.read(recipe)
    return fit_perceptrons(clips, targets, [everyone], settings, ledger, seed=int(recipe["seed"]))


def _cross_validate(
    study: Study,
    clips: StudyClips,
    targets: NDArray[np.float64],
    folds: list[Fold],
    settings: PerceptronSettings,
    seed: int,
) -> NDArray[np.float64]:
    """Predict each interview by the perceptron that was trained without its patient."""
    ledger = Ledger(study.patients)
    trained = fit_perceptrons(clips, targets, folds, settings, ledger, seed=seed)
    check_ledger(ledger, folds, FITTED)
    out = np.full(targets.shape, np.nan)
    for number, fold in enumerate(folds):
        for row in fold.test:
            out[row] = trained.predict(number, clips.of(int(row)))
    return _own_range(out, study)


def _own_range(predicted: NDArray[np.float64], study: Study) -> NDArray[np.float64]:
    """Scale totals back and hold every score in its range."""
    low = [score.low for score in study.scores]
    high = [score.high for score in study.scores]
    return np.clip(predicted * study.divisors, low, high)


def _best_possible(study: Study) -> dict[str, float] | None:
    """Return the PCC that no method can exceed, where a generated study knows it."""
    path: Path = study.path.with_name(BEST_FILE)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["pcc"]
        return {score.name: float(known[score.name]) for score in study.scores}
    except (OSError, ValueError, KeyError, TypeError):
        return None
