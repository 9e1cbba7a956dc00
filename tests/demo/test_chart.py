"""The timeline as HTML."""

from __future__ import annotations

from emoclip_sdk.demo.chart import chart_html
from emoclip_sdk.results.records import FaceTrack
from emoclip_sdk.results.reliability import LabelReliability
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline


def test_the_page_says_what_is_not_readable() -> None:
    scores = {"happy": 0.3, "<old>": 0.7}
    row = TimelineRow(0, 0.0, 1.0, 7, scores, scores, 0.7, abstained=True)
    track = FaceTrack(0, 0.0, 1.0, 7, 1.0, 1.0)
    known = {
        "happy": LabelReliability("happy", "measured", "measured: 92%", "happiness", 0.92),
        "<old>": LabelReliability("<old>", "unreadable", "not readable: age", unread=("age",)),
    }
    html = chart_html(
        Timeline("a.mp4", tuple(scores), 1.0, 1.0, (row,), tracks=(track,), reliability=known)
    )
    assert "&lt;old&gt; (not readable)" in html and "measured: 92%" in html
    assert "not readable by this model: &lt;old&gt; (age)" in html and "<old>" not in html
