"""The charts as HTML, and the colors of labels."""

from __future__ import annotations

import numpy as np

from emoclip_sdk.demo.action_chart import actions_html
from emoclip_sdk.demo.chart import chart_html
from emoclip_sdk.demo.colors import LabelColors
from emoclip_sdk.results.actions import ActionRow, FaceActions
from emoclip_sdk.results.records import FaceTrack, Prediction
from emoclip_sdk.results.reliability import LabelReliability
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

TRACK = FaceTrack(0, 0.0, 1.0, 7, 1.0, 1.0)
BOX = (0.0, 0.0, 10.0, 10.0)


def test_the_page_says_what_is_not_readable() -> None:
    scores = {"happy": 0.3, "<old>": 0.7}
    row = TimelineRow(0, 0.0, 1.0, 7, scores, scores, 0.7, abstained=True)
    known = {
        "happy": LabelReliability("happy", "measured", "measured: 92%", "happiness", 0.92),
        "<old>": LabelReliability("<old>", "unreadable", "not readable: age", unread=("age",)),
    }
    timeline = Timeline(
        "a.mp4", tuple(scores), 1.0, 1.0, (row,), tracks=(TRACK,), reliability=known
    )
    answer = Prediction(
        "a.mp4", scores, scores, {}, confidence=0.7, abstained=True, track=0, n_frames=7,
        reliability=known, tracks=(TRACK,),
    )  # fmt: skip
    html = chart_html(timeline, [answer], LabelColors().of(list(scores)))
    assert "&lt;old&gt; (not readable)" in html and "measured: 92%" in html
    assert "not readable by this model: &lt;old&gt; (age)" in html and "<old>" not in html
    # The model abstained: the strip, the legend and the tooltips say so.
    assert 'class="none"' in html and "100% of the time" in html
    assert 'title="0.0 to 1.0 s: none of these; &lt;old&gt; 0.70, happy 0.30"' in html
    assert "<h3>face 0 " in html


def test_a_color_stays_while_labels_come_and_go() -> None:
    colors = LabelColors()
    first = colors.of(["neutral", "joy", "anger"])
    assert len({style.color for style in first.values()}) == 3
    second = colors.of(["boredom", "anger", "joy"])
    assert (second["anger"], second["joy"]) == (first["anger"], first["joy"])
    assert second["boredom"] not in first.values()
    assert colors.of(["neutral"])["neutral"] == first["neutral"]
    # Of more labels than colors, the last ones are gray, and no two others look alike.
    many = colors.of([f"label {i}" for i in range(20)])
    named = [style for style in many.values() if style.named]
    assert len(named) == len(set(named)) == 16 and sum(s.dashed for s in named) == 8


def test_actions_in_words_and_colors() -> None:
    times = np.arange(14) / 7
    smiles = [0.9 if t < 1 else 0.0 for t in times]
    rows = tuple(
        ActionRow(0, i, t, {"mouthSmileLeft": s, "mouthSmileRight": s, "jawOpen": 0.05}, box=BOX)
        for i, (t, s) in enumerate(zip(times.tolist(), smiles, strict=True))
    )
    actions = FaceActions("a.mp4", rows, (TRACK,), 2.0)
    windows = tuple(
        TimelineRow(
            0, start, start + 1, 7, {"joy": 1.0}, {"joy": 0.2}, 0.9,
            actions={"mouthSmileLeft": s, "mouthSmileRight": s},
        )
        for start, s in ((0.0, 0.9), (1.0, 0.0))
    )  # fmt: skip
    html = actions_html(actions, Timeline("a.mp4", ("joy",), 1.0, 1.0, windows, duration=2.0))
    assert "<small>0.0 to 1.0 s</small> lip corners pulled up" in html
    assert "<small>1.0 to 2.0 s</small> facial muscles at rest" in html
    assert "mouthSmile: 0.90 at most, at 0.0 s" in html and "jawOpen" not in html
    # 14 frames in 2 s: half of the row is colored, half is not.
    assert html.count("rgb(var(--emo-heat) / 90%)") == html.count("rgb(var(--emo-heat) / 0%)") == 7
