"""Folds by patient, and a leak check that is broken here on purpose."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness import perceptrons
from emoclip_sdk.training.ness.baselines import LedgerStep
from emoclip_sdk.training.ness.folds import (
    Fold,
    LeakError,
    Ledger,
    check_folds,
    check_ledger,
    make_folds,
)
from emoclip_sdk.training.ness.study import run_study

from .conftest import loaded

PATIENTS = np.array(["a", "a", "b", "c", "c", "c", "d"])


@pytest.mark.parametrize("k", [None, 2, 4])
def test_every_interview_is_tested_once_without_its_patient(k: int | None) -> None:
    folds = make_folds(PATIENTS, k)
    assert len(folds) == (k or 4)
    check_folds(folds, PATIENTS)
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(7))
    for fold in folds:
        assert len(fold.train) + len(fold.test) == 7
        assert not set(PATIENTS[fold.train]) & set(PATIENTS[fold.test])


def test_numbers_of_folds_that_make_no_sense() -> None:
    with pytest.raises(DatasetError, match="2 to 4 folds, not 5"):
        make_folds(PATIENTS, 5)
    with pytest.raises(DatasetError, match="at least 3 patients, there are 2"):
        make_folds(np.array(["a", "a", "b"]))


def test_patient_on_both_sides() -> None:
    folds = make_folds(PATIENTS)
    folds[2] = Fold(np.append(folds[2].train, 3), folds[2].test)
    with pytest.raises(LeakError, match="fold 3: patient c is in training and in test"):
        check_folds(folds, PATIENTS)
    with pytest.raises(LeakError, match="tested 0 times"):
        check_folds(make_folds(PATIENTS)[1:], PATIENTS)


@pytest.mark.parametrize("leaky", [StandardScaler(), SelectKBest(f_regression, k=2)])
def test_step_that_was_fitted_on_everybody(leaky: Any) -> None:
    rng = np.random.default_rng(0)
    x = np.hstack([np.arange(7)[:, None], rng.normal(size=(7, 5))])
    y = rng.normal(size=7)
    folds, ledger = make_folds(PATIENTS), Ledger(PATIENTS)
    for number, fold in enumerate(folds):
        # The usual mistake: this step sees all rows, the regressor only the fold's own.
        seen = LedgerStep(leaky, ledger, "first step", number).fit(x, y).transform(x)
        regressor = LedgerStep(Ridge(), ledger, "regressor", number)
        Pipeline([("regressor", regressor)]).fit(seen[fold.train], y[fold.train])
    check_ledger_of(ledger, folds, "regressor")
    with pytest.raises(LeakError, match="fold 1: first step was fitted on patient a, whom"):
        check_ledger(ledger, folds, ())


def check_ledger_of(ledger: Ledger, folds: list[Fold], what: str) -> None:
    alone = Ledger(ledger.patients)
    alone.seen = {what: ledger.seen[what]}
    check_ledger(alone, folds, (what,))


def test_what_nobody_recorded_is_not_vouched_for() -> None:
    folds, ledger = make_folds(PATIENTS), Ledger(PATIENTS)
    ledger.record("scaler", 0, folds[0].train)
    with pytest.raises(LeakError, match="fold 2: it isn't known what scaler was fitted on"):
        check_ledger(ledger, folds, ())
    with pytest.raises(LeakError, match="what probe was fitted on"):
        check_ledger(Ledger(PATIENTS), folds, ("probe",))


def test_scaler_of_all_patients_fails_the_run(
    planted: Path, recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, clips = loaded(planted)
    right = perceptrons._standardize
    monkeypatch.setattr(
        perceptrons,
        "_standardize",
        lambda clips, member, ledger: right(clips, np.ones_like(member), ledger),
    )
    recipe["optim"]["epochs"] = 1
    with pytest.raises(LeakError, match="fold 1: scaler of the probe was fitted on patient"):
        run_study(study, clips, recipe, k=3, control=False, draws=0)


def test_training_on_a_test_patient_fails_the_run(
    planted: Path, recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, clips = loaded(planted)
    right = perceptrons.fit_perceptrons

    def leaky(clips: Any, targets: Any, folds: list[Fold], *rest: Any, **options: Any) -> Any:
        everyone = np.arange(len(targets))
        folds = [dataclasses.replace(fold, train=everyone) for fold in folds]
        return right(clips, targets, folds, *rest, **options)

    monkeypatch.setattr("emoclip_sdk.training.ness.study.fit_perceptrons", leaky)
    recipe["optim"]["epochs"] = 1
    with pytest.raises(LeakError, match="probe was fitted on patient"):
        run_study(study, clips, recipe, k=3, control=False, draws=0)
