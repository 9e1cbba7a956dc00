"""Intervals: the same figures as the point estimates, and the coverage that they promise."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.evaluation import (
    bootstrap_draws,
    figures_of_merit,
    interval,
    intervals,
    mean_of_folds,
)


def _scored(n: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, count, n)
    return np.clip(rng.random((n, count)).round(1) + 0.4 * np.eye(count)[labels], 0, 1), labels


def test_a_draw_has_the_figures_of_its_clips() -> None:
    scores, labels = _scored(60, 4, 0)
    scores[7] = np.nan  # a clip without a face
    drawn = bootstrap_draws(scores, labels, draws=3, seed=5)
    rng = np.random.default_rng(5)
    for i in range(3):
        rows = rng.integers(0, 60, 60)
        expected = figures_of_merit(scores[rows], labels[rows], "abcd")
        for key, values in drawn.items():
            assert values[i] == pytest.approx(expected[key], abs=1e-6), key


def test_is_seeded_and_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from emoclip_sdk.training.evaluation import bootstrap

    scores, labels = _scored(50, 3, 1)
    first = bootstrap_draws(scores, labels, draws=20, seed=1)
    monkeypatch.setattr(bootstrap, "_CHUNK", 150)
    again = bootstrap_draws(scores, labels, draws=20, seed=1)
    other = bootstrap_draws(scores, labels, draws=20, seed=2)
    for key, values in first.items():
        np.testing.assert_array_equal(values, again[key])
        assert not np.array_equal(values, other[key])


def test_intervals_cover_the_truth() -> None:
    """A classifier that is right 60 % of the time, in 200 experiments of 150 clips."""
    rng = np.random.default_rng(0)
    covered = 0
    for i in range(200):
        labels = rng.integers(0, 3, 150)
        right = rng.random(150) < 0.6
        scores = np.eye(3)[np.where(right, labels, (labels + 1) % 3)]
        drawn = bootstrap_draws(scores, labels, draws=200, seed=i, auc=False)
        low, high = interval(drawn["war"])
        covered += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_without_draws_there_is_no_interval() -> None:
    scores, labels = _scored(10, 2, 0)
    assert set(intervals(bootstrap_draws(scores, labels, draws=0)).values()) == {None}
    assert mean_of_folds([[], []]) is None


def test_folds_make_the_mean_surer() -> None:
    rng = np.random.default_rng(0)
    folds = rng.normal(0.5, 0.1, (5, 1000))
    one, all_five = interval(folds[0]), mean_of_folds(folds.tolist())
    assert all_five is not None and one is not None
    width = (all_five[1] - all_five[0]) / (one[1] - one[0])
    assert width == pytest.approx(5**-0.5, rel=0.1)
