"""What follows from how far labels can be trusted."""

from __future__ import annotations

import dataclasses
import math

from emoclip_sdk.demo.chart import chart_html
from emoclip_sdk.results.records import FaceTrack
from emoclip_sdk.results.reliability import LabelReliability, reliability_lines, verdict
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

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


def test_the_page_says_what_is_not_readable() -> None:
    scores = {"happy": 0.3, "<old>": 0.7}
    row = TimelineRow(0, 0.0, 1.0, 7, scores, scores, 0.7, abstained=True)
    track = FaceTrack(0, 0.0, 1.0, 7, 1.0, 1.0)
    known = {label: KNOWN[label] for label in scores}
    html = chart_html(
        Timeline("a.mp4", tuple(scores), 1.0, 1.0, (row,), tracks=(track,), reliability=known)
    )
    assert "&lt;old&gt; (not readable)" in html and "measured: 92%" in html
    assert "not readable by this model: &lt;old&gt; (age)" in html and "<old>" not in html
