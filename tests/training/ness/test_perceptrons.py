"""Perceptrons of all folds at once: nothing passes from one to another, or from what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emoclip_sdk.training.ness.clips import StudyClips
from emoclip_sdk.training.ness.folds import Ledger, make_folds
from emoclip_sdk.training.ness.perceptrons import PerceptronSettings, fit_perceptrons

from .conftest import loaded


def test_test_patients_change_nothing_in_their_fold(planted: Path, recipe: dict[str, Any]) -> None:
    study, clips = loaded(planted)
    targets = study.ratings / study.divisors
    folds = make_folds(study.patients, 4)
    settings = PerceptronSettings.read(recipe)
    together = fit_perceptrons(clips, targets, folds, settings, Ledger(study.patients))
    # Whatever the test patients are rated and look like, the fold's perceptron is the same.
    test = folds[1].test
    other, vectors = targets.copy(), clips.vectors.copy()
    other[test] = 7 - other[test]
    for row in test:
        vectors[clips.starts[row] : clips.starts[row + 1]] *= -3
    changed = StudyClips(vectors, clips.starts, clips.encoder)
    again = fit_perceptrons(changed, other, folds, settings, Ledger(study.patients))
    for name, tensor in together.state_of(1).items():
        np.testing.assert_allclose(tensor, again.state_of(1)[name], rtol=1e-4, atol=1e-6)
    assert not np.allclose(together.hidden_weight[0].detach(), again.hidden_weight[0].detach())


def test_missing_ratings_teach_nothing(planted: Path, recipe: dict[str, Any]) -> None:
    study, clips = loaded(planted)
    targets = np.full(study.ratings.shape, np.nan)
    targets[:, 0] = study.ratings[:, 0]
    folds = make_folds(study.patients, 3)
    settings = PerceptronSettings.read(recipe)
    trained = fit_perceptrons(clips, targets, folds, settings, Ledger(study.patients))
    # A score that nobody rated stays at its start, zero, but for the decay of its random weights.
    assert trained.output_bias[:, 0, 1:].abs().max() == 0
    assert np.isfinite(trained.predict(0, clips.of(0))).all()
