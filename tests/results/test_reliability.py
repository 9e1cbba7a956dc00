"""What follows from how far labels can be trusted."""

from __future__ import annotations

import dataclasses
import math

from emoclip_sdk.results.reliability import LabelReliability, reliability_lines, verdict

SCORES = {"anger": 0.461, "neutral": 0.456, "happiness": 0.083}


def test_labels_within_the_margin_are_tied() -> None:
    assert verdict(SCORES, 0.461, 0.3, 0.4, {}) == (False, ("neutral",))
    assert verdict(SCORES, 0.461, 0.3, 0.0, {}) == (False, ())
    apart = math.log(0.461 / 0.456)
    assert verdict(SCORES, 0.461, 0.3, apart * 0.99, {}) == (False, ())
    assert verdict(SCORES, 0.461, 0.3, apart * 1.01, {}) == (False, ("neutral",))


def test_a_label_that_cannot_be_read_wins_nothing() -> None:
    unread = {"anger": LabelReliability("anger", "unreadable", "")}
    assert verdict(SCORES, 0.461, 0.3, 0.0, unread)[0]
    assert not verdict(SCORES, 0.461, 0.0, 0.0, unread)[0], "0: never abstains"
    unread = {"neutral": LabelReliability("neutral", "unreadable", "")}
    assert verdict(SCORES, 0.461, 0.3, 0.4, unread) == (False, ()), "nor does it share a place"


KNOWN = {
    "happy": LabelReliability("happy", "measured", "measured: 92%", "happiness", 0.92),
    "a smile": LabelReliability("a smile", "measured", "measured: AUC 0.90", auc=0.9),
    "glee": LabelReliability("glee", "likeness", "read through ...", "happiness", 0.92),
    "<old>": LabelReliability("<old>", "unreadable", "not readable: age", unread=("age",)),
}


def test_lines_for_people() -> None:
    assert reliability_lines(KNOWN) == [
        "measured, recognized of each: happy 92%, a smile AUC 0.90",
        "read through their likeness: glee (to happiness)",
        "not readable by this model: <old> (age)",
    ]
    many = {str(i): dataclasses.replace(KNOWN["glee"], label=str(i)) for i in range(40)}
    assert reliability_lines(many)[0].endswith("11 (to happiness) and 28 more")
