"""Facial actions in words."""

from __future__ import annotations

import math

import pytest

from emoclip_sdk.prompts.facial_actions import ACTIONS, MOVEMENTS
from emoclip_sdk.results.action_words import (
    ACTION_THRESHOLDS,
    AT_REST,
    describe_actions,
    describe_changes,
)

REST = dict.fromkeys([part for parts in MOVEMENTS.values() for part in parts], 0.0)


def face(**scores):
    """Scores of both sides where a name has none."""
    both = {f"{name}{side}": value for name, value in scores.items() for side in ("Left", "Right")}
    return {**REST, **{name: v for name, v in {**scores, **both}.items() if name in REST}}


@pytest.mark.parametrize(
    "scores, words",
    [
        ({}, "facial muscles at rest"),
        ({"mouthSmile": 0.6}, "lip corners pulled up"),
        ({"mouthSmile": 0.6, "mouthUpperUp": 0.5}, "a wide grin that shows the teeth"),
        (
            {"browOuterUp": 0.6, "browInnerUp": 0.7, "jawOpen": 0.5},
            "raised eyebrows, a dropped jaw",
        ),
        ({"browInnerUp": 0.7}, "the inner ends of the eyebrows pulled up"),
        ({"jawOpen": 0.15}, "slightly parted lips"),
        ({"mouthFrown": 0.2, "browDown": 0.8}, "lowered eyebrows, lip corners pulled down"),
    ],
)
def test_faces_in_words(scores, words):
    assert describe_actions(face(**scores)) == words


def test_one_side_alone():
    smirk = face()
    smirk["mouthSmileLeft"] = 0.4
    smirk["mouthLeft"] = 0.3
    assert describe_actions(smirk) == "one corner of the mouth lifted"


def test_with_a_baseline_the_change_counts():
    heavy_brow = face(browDown=0.7)
    assert describe_actions(heavy_brow) == "lowered eyebrows"
    assert describe_actions(heavy_brow, baseline=heavy_brow) == AT_REST
    faint = face(browDown=0.3, mouthSmile=0.2)
    assert describe_actions(faint) == AT_REST
    assert describe_actions(faint, baseline=face()) == "lowered eyebrows, lip corners pulled up"


def test_changes_up_and_down():
    before, now = face(mouthSmile=0.5), face(browInnerUp=0.5, browOuterUp=0.5)
    assert describe_changes(now, before) == "more: raised eyebrows; less: lip corners pulled up"
    assert describe_changes(now, now) == ""


def test_without_a_face_nothing_is_said():
    nothing = dict.fromkeys(REST, math.nan)
    assert describe_actions(nothing) == describe_changes(nothing, REST) == ""


def test_the_words_are_those_of_captions():
    said = describe_actions(dict.fromkeys(REST, 1.0)).split(", ")
    assert set(said) <= {words[0] for words in ACTIONS.values()}
    assert all(change < level for level, change in ACTION_THRESHOLDS.values())
