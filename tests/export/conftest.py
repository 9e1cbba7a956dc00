"""A small timeline, with a row made by hand where tests need one."""

from __future__ import annotations

import math

import pytest

from emoclip_sdk.results.records import ModelInfo
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

NAN = float("nan")


JOY = 'joy, "un <b>-forced</b>" & true'  # whatever a person may call a label


def row(track, start, joy, confidence=0.9):
    scores = {JOY: joy, "äger": 1 - joy}
    seen = not math.isnan(joy)
    return TimelineRow(
        track,
        start,
        start + 1.0,
        7 if seen else 0,
        scores,
        {JOY: joy / 3, "äger": (1 - joy) / 3},
        confidence if seen else NAN,
        confidence < 0.4,
        (10.0, 20.0, 50.0, 60.0) if seen else None,
        0.99 if seen else NAN,
    )


@pytest.fixture
def timeline():
    nothing = {JOY: NAN, "äger": NAN}
    rows = (
        *(row(0, float(t), joy) for t, joy in enumerate([0.75, 0.8, NAN, 0.7])),
        row(0, 4.0, 0.6, confidence=0.2),  # abstained
        row(0, 5.0, 0.1),
        *(row(1, float(t), joy) for t, joy in ((1, 0.2), (2, 0.3))),
        TimelineRow(None, 6.0, 7.0, 0, nothing, dict(nothing)),
    )
    model = ModelInfo("tiny", "abc", "0123456789ab")
    return Timeline(
        "ä clip.mp4", (JOY, "äger"), 1.0, 1.0, rows, duration=7.0, model=model, min_score=0.4
    )
