"""Perceptrons of all folds at once, baselines, figures and the control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.ness.baselines import predict_baseline
from emoclip_sdk.training.ness.clips import StudyClips, embed_study
from emoclip_sdk.training.ness.figures import score_figures, shuffled_rows
from emoclip_sdk.training.ness.folds import Ledger, make_folds
from emoclip_sdk.training.ness.manifest import Study, read_study
from emoclip_sdk.training.ness.perceptrons import PerceptronSettings, fit_perceptrons
from emoclip_sdk.training.ness.scales import shipped_scales
from emoclip_sdk.training.ness.study import run_study


def loaded(root: Path) -> tuple[Study, StudyClips]:
    study = read_study(root, shipped_scales()["panss"])
    study, clips, unusable = embed_study(study, no_model, FrameCache(root / "cache"))
    assert not unusable
    return study, clips


def no_model() -> Any:
    raise AssertionError("embedded interviews need no model")


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


def test_planted_relation_is_found_and_shuffled_ratings_are_not(
    planted: Path, recipe: dict[str, Any]
) -> None:
    study, clips = loaded(planted)
    result = run_study(study, clips, recipe, draws=50)
    assert len(result.folds) == 12
    pcc = {name: figures["total_negative"]["pcc"] for name, figures in result.figures.items()}
    # A dozen patients; the full study of 69 is in docs/ness.md.
    assert pcc["probe"] > 0.8
    assert pcc["shuffled"] < 0.4
    assert pcc["mean"] < -0.5
    best = result.document["best_possible"]
    assert best["total_negative"] > 0.9 and best["n1_blunted_affect"] > 0.75
    totals = result.predictions["probe"][:, -1]
    assert totals.min() >= 7 and totals.max() <= 49
    assert np.ptp(totals) > 7  # scaled back


def test_ridge_is_scikit_learns_inside_of_each_fold(planted: Path) -> None:
    study, clips = loaded(planted)
    x, y = clips.moments[0], study.ratings[:, :1] / study.divisors[:1]
    folds = make_folds(study.patients, 3)
    settings = {"ridge": {"alphas": [0.1, 10.0]}}
    ledger = Ledger(study.patients)
    found = predict_baseline("ridge", x, y, folds, ledger, settings)
    assert set(ledger.seen) == {"scaler of ridge", "regressor of ridge"}
    for fold in folds:
        rows = fold.train[~np.isnan(y[fold.train, 0])]
        ours = make_pipeline(StandardScaler(), RidgeCV(alphas=[0.1, 10.0]))
        expected = ours.fit(x[rows], y[rows, 0]).predict(x[fold.test])
        np.testing.assert_allclose(found[fold.test, 0], expected)


def test_figures_are_those_of_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    p = y + rng.normal(size=40)
    y[3], p[5] = np.nan, np.nan
    patients = np.array([f"p{i // 2}" for i in range(40)])
    found = score_figures(y, p, patients, draws=200)
    known = ~(np.isnan(y) | np.isnan(p))
    assert found["n"] == 38
    assert found["mae"] == pytest.approx(mean_absolute_error(y[known], p[known]))
    assert found["rmse"] == pytest.approx(mean_squared_error(y[known], p[known]) ** 0.5)
    assert found["pcc"] == pytest.approx(pearsonr(y[known], p[known]).statistic)
    for key, (low, high) in found["intervals"].items():
        assert low < found[key] < high


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
    found = score_figures(np.arange(5.0), np.full(5, 0.1), np.array(list("abcde")), draws=0)
    assert found["pcc"] is None and found["mae"] == pytest.approx(1.94)
    nothing = score_figures(np.full(2, np.nan), np.zeros(2), np.array(["a", "b"]), draws=5)
    assert nothing["n"] == 0 and nothing["mae"] is None and nothing["intervals"]["mae"] is None


def test_shuffling_leaves_nobody_their_own_ratings() -> None:
    patients = np.array(list("aabbbcccddef"))
    rows = shuffled_rows(patients, 0)
    assert sorted(rows) == list(range(12))
    assert not (patients[rows] == patients).any()


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("optim", "epochs", 0, "epochs can't be 0"),
        ("probe", "crop", 1.5, "crop can't be 1.5"),
        ("probe", "depth", 2, "do not fit"),
        ("baselines", "ridge", {"alpha": 1}, "'baselines.ridge' does not fit"),
    ],
)
def test_recipes_that_make_no_sense(
    planted: Path, recipe: dict[str, Any], section: str, key: str, value: Any, message: str
) -> None:
    recipe["optim"]["epochs"] = 1
    recipe[section][key] = value
    study, clips = loaded(planted)
    with pytest.raises(EmoCLIPError) as caught:
        run_study(study, clips, recipe, k=3, control=False, draws=0)
    assert message in str(caught.value)
