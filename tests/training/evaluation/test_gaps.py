"""The gap between groups: real ones, chance, and people who are in several clips."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.evaluation.gaps import group_gap


def test_gap_of_groups_that_differ_and_of_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    values = ["x", "y"] * 200
    people = [f"s{i // 4}{value}" for i, value in enumerate(values)]  # two clips of each
    fair = rng.random(400) < 0.7
    unfair = rng.random(400) < np.where(np.array(values) == "x", 0.9, 0.5)
    chance = group_gap(fair, labels, values, people, draws=300)
    real = group_gap(unfair, labels, values, people, draws=300)
    assert chance["p"] > 0.05 and chance["interval"][0] < 0
    assert real["p"] < 0.01 and 0.2 < real["interval"][0] < real["gap"] < real["interval"][1]
    assert real["best"] == "x" and real["shuffled"] == "subjects"
    uar = [unfair[(labels == c) & (np.array(values) == "x")].mean() for c in (0, 1)]
    assert real["uar"]["x"] == pytest.approx(np.mean(uar))


def test_ten_clips_of_two_people_are_two_people() -> None:
    # One person's clips are all right, the other's all wrong: by clips that could be no chance.
    hits = np.repeat([True, False], 10)
    values = ["x"] * 10 + ["y"] * 10
    labels = np.zeros(20, int)
    by_person = group_gap(hits, labels, values, values, draws=200)
    by_clip = group_gap(hits, labels, values, [None] * 20, draws=200)
    assert by_person["p"] == 1 and by_person["drawn"] == "subjects"
    assert by_clip["p"] < 0.01 and by_clip["drawn"] == by_clip["shuffled"] == "clips"


def test_no_gap_without_two_groups() -> None:
    labels = np.array([0, 1])
    assert group_gap(labels == 0, labels, ["x", "y"], [None, None]) is None  # no shared class
    assert group_gap(labels == 0, labels, ["x", ""], [None, None]) is None


def test_groups_that_are_read_alike_are_still_two() -> None:
    labels = np.array([0, 1, 0, 1])
    found = group_gap(labels == 0, labels, ["x", "x", "y", "y"], [None] * 4, draws=20)
    assert found is not None and found["gap"] == 0
    assert {found["best"], found["worst"]} == {"x", "y"}
