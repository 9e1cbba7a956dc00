"""Which samples are in which step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from emoclip_sdk.training.engine.plan import LengthSortedPlan, Plan, ShuffledPlan, WeightedPlan

LENGTHS = np.random.default_rng(0).integers(1, 70, 1003)
PLANS = [
    ShuffledPlan(samples=50, batch_size=8, epochs=3, seed=1),
    WeightedPlan(weights=np.arange(1, 51.0), batch_size=8, epochs=3, seed=1),
    WeightedPlan(weights=np.ones(5), batch_size=8, epoch_steps=20, epochs=1, seed=1),
    LengthSortedPlan(lengths=LENGTHS, batch_size=8, epochs=2, seed=1),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
def test_a_plan_can_be_entered_anywhere(plan: Plan) -> None:
    whole = list(plan)
    assert len(whole) == plan.total == plan.epochs * plan.steps
    assert {len(rows) for _, rows in whole} == {plan.size}
    for first in (1, plan.steps, plan.total - 1):
        assert list(dataclasses.replace(plan, first=first)) == whole[first:]
    assert list(dataclasses.replace(plan, seed=2)) != whole


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
def test_two_processes_share_the_batches_of_one(plan: Plan) -> None:
    half = dataclasses.replace(plan, batch_size=plan.batch_size // 2, world=2)
    pairs = zip(half, dataclasses.replace(half, rank=1), strict=True)
    assert [a[1] + b[1] for a, b in pairs] == [rows for _, rows in plan]


def test_every_sample_once_in_an_epoch() -> None:
    for plan in (PLANS[0], PLANS[3]):
        rows = [row for epoch, rows in plan if epoch == 1 for row in rows]
        assert len(set(rows)) == len(rows) == plan.n // 8 * 8


def test_samples_are_drawn_by_their_weights() -> None:
    plan = WeightedPlan(
        weights=np.array([1.0, 0.0, 3.0]), batch_size=100, epoch_steps=100, epochs=1, seed=0
    )
    counts = np.bincount([row for _, rows in plan for row in rows], minlength=3)
    assert counts[1] == 0 and counts[2] / counts[0] == pytest.approx(3, rel=0.1)


def test_texts_of_a_batch_are_about_as_long() -> None:
    spreads = [np.ptp(LENGTHS[rows]) for _, rows in PLANS[3]]
    assert np.mean(spreads) < 5
    lengths = [LENGTHS[rows].mean() for _, rows in PLANS[3]]
    assert abs(np.corrcoef(lengths, np.arange(len(lengths)))[0, 1]) < 0.3, "batches in any order"
