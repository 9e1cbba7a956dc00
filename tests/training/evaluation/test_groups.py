"""Figures of groups of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.evaluation import group_figures, read_attributes
from emoclip_sdk.training.evaluation.gaps import group_gap

NOTHING = np.zeros((1, 2, 2, 3), np.uint8)
# Anna's clips are all right, Ben's half, and nothing is known about the fourth person.
CLIPS = [
    Clip("a1", NOTHING, 0, subject="anna"),
    Clip("a2", NOTHING, 1, subject="anna"),
    Clip("b1", NOTHING, 0, subject="ben"),
    Clip("b2", NOTHING, 0, subject="ben"),
    Clip("x", NOTHING, 1),
]
SCORES = np.eye(3)[[0, 1, 0, 1, 2]]
LABELS = np.array([clip.label for clip in CLIPS])


def _attributes(tmp_path: Path, text: str):
    path = tmp_path / "attributes.csv"
    path.write_text(text, encoding="utf-8")
    return read_attributes(path)


def test_by_subject(tmp_path: Path) -> None:
    attributes = _attributes(tmp_path, "subject,age,glasses\nanna,20-29,no\nben,60+,\n")
    found, gaps = group_figures(SCORES, LABELS, CLIPS, "abc", attributes, draws=50)
    assert list(found) == ["age", "glasses"]
    assert list(found["age"]) == ["20-29", "60+", ""]
    anna, ben = found["age"]["20-29"], found["age"]["60+"]
    assert (anna["n"], anna["classes"], anna["uar"], anna["war"]) == (2, 2, 1.0, 1.0)
    assert (ben["n"], ben["classes"], ben["uar"]) == (2, 1, 0.5)
    assert anna["intervals"]["uar"] == [1.0, 1.0]
    low, high = ben["intervals"]["war"]
    assert low == 0 and high == 1
    # Who isn't listed, and whose value is empty, is a group of its own.
    assert found["age"][""]["n"] == 1
    assert found["glasses"][""]["n"] == 3
    # Only class a occurs with both; Ben and Anna are shuffled whole.
    gap = gaps["age"]
    assert (gap["best"], gap["worst"], gap["gap"], gap["classes"]) == ("20-29", "60+", 0.5, 1)
    assert gap["drawn"] == gap["shuffled"] == "subjects"
    assert gaps["glasses"] is None


def test_by_clip(tmp_path: Path) -> None:
    attributes = _attributes(tmp_path, "light,clip\ndark,b2\nbright,a1\n")
    groups, gaps = group_figures(SCORES, LABELS, CLIPS, "abc", attributes, draws=0)
    found = groups["light"]
    assert gaps["light"]["interval"] is None and gaps["light"]["p"] is None
    assert {kind: row["n"] for kind, row in found.items()} == {"bright": 1, "dark": 1, "": 3}
    assert found["dark"]["war"] == 0
    assert found["dark"]["intervals"]["war"] is None


def test_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no evaluated clip is in it.*'carl'.*'anna'"):
        attributes = _attributes(tmp_path, "subject,age\ncarl,20-29\n")
        group_figures(SCORES, LABELS, CLIPS, "abc", attributes)
    with pytest.raises(DatasetError, match="'clip' or 'subject'"):
        _attributes(tmp_path, "name,age\nanna,20-29\n")
    with pytest.raises(DatasetError, match="a column for each attribute"):
        _attributes(tmp_path, "subject\nanna\n")
    with pytest.raises(DatasetError, match="line 3: subject 'anna' was there before"):
        _attributes(tmp_path, "subject,age\nanna,20-29\nanna,60+\n")
    with pytest.raises(DatasetError, match="can't be read"):
        read_attributes(tmp_path / "gone.csv")


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
