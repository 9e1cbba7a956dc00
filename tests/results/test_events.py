"""Events of a timeline whose scores are known: means, maxima and latencies by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from emoclip_sdk import Event
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

# Joy in each second from 10 s on; somebody else is there in the third one alone.
JOY = [0.1, 0.2, 0.9, 0.7, 0.3, 0.6]


def row(track, start, joy):
    scores = {"joy": joy, "fear": 1 - joy}
    return TimelineRow(track, start, start + 1, 7, scores, dict(scores), 0.9, False)


@pytest.fixture
def timeline():
    rows = [row(0, 10.0 + i, joy) for i, joy in enumerate(JOY)] + [row(1, 12.0, 0.4)]
    nothing = {"joy": math.nan, "fear": math.nan}
    rows += [TimelineRow(None, 16.0, 17.0, 0, nothing, dict(nothing), reason="nobody")]
    return Timeline("a.mp4", ("joy", "fear"), 1.0, 1.0, tuple(rows))


def test_means_maxima_and_latencies(timeline):
    first, other, *second = timeline.events([(10.5, 13.5, "one"), Event(12.0, 13.0, "two")])
    # Half of the first second, two whole ones, half of the fourth.
    assert first.track == 0 and first.seconds == 3.0 and first.event.name == "one"
    assert first.means["joy"] == pytest.approx((0.5 * 0.1 + 0.2 + 0.9 + 0.5 * 0.7) / 3)
    assert first.maxima == {"joy": 0.9, "fear": pytest.approx(0.9)}
    # Joy is above 0.5 from 12 s on; fear is when the event begins.
    assert first.latencies == {"joy": 1.5, "fear": 0.0}
    assert (other.track, other.seconds, other.latencies["fear"]) == (1, 1.0, 1.5)
    assert [(scores.track, scores.latencies["joy"]) for scores in second[:1]] == [(0, 0.0)]
    assert second[1].track == 1 and math.isnan(second[1].latencies["joy"])
    assert second[1].latencies["fear"] == 0.0
    (strict,) = timeline.events([(10.0, 12.5)], threshold=0.95)[:1]
    assert all(map(math.isnan, strict.latencies.values()))
    (late,) = timeline.events([(14.0, 15.9)])
    assert late.latencies["joy"] == 1.0, "the episode before is over"


def test_what_is_not_there(timeline):
    nobody, outside = timeline.events([(16.2, 16.8), (30, 40)])
    assert (nobody.track, nobody.reason, nobody.status) == (None, "nobody", "no face")
    assert outside.status == "failed" and "from 30 to 40 s" in outside.error
    assert "from 10 to 17 s" in outside.error and outside.reason is None
    record = outside.to_record("a.mp4")
    assert (record["source"], record["start"], record["end"]) == ("a.mp4", 30.0, 40.0)
    assert math.isnan(record["mean:joy"]) and math.isnan(record["latency:fear"])


def test_actions_of_an_event_are_those_of_its_windows(timeline):
    """Mean over the time in which they were measured, and the highest."""
    jaw = [0.1, 0.5, math.nan, 0.2, 0.0, 0.3, 0.9, math.nan]
    rows = [
        dataclasses.replace(row, actions={"jawOpen": value, "yaw": -10.0})
        for row, value in zip(timeline.rows, jaw, strict=True)
    ]
    measured = dataclasses.replace(timeline, rows=tuple(rows))
    one, other, nobody = measured.events([(10.5, 13.5, "one"), (16.2, 16.8, "nobody")])
    # Half of the first second, the second one, half of the fourth.
    assert one.action_means == pytest.approx({"jawOpen": (0.05 + 0.5 + 0.1) / 2, "yaw": -10.0})
    assert one.action_maxima == {"jawOpen": 0.5, "yaw": -10.0}
    assert other.action_means["jawOpen"] == 0.9
    record = one.to_record()
    assert record["mean:jawOpen"] == one.action_means["jawOpen"] and record["max:jawOpen"] == 0.5
    assert record["mean:joy"] == timeline.events([(10.5, 13.5)])[0].means["joy"]
    assert math.isnan(nobody.to_record()["mean:jawOpen"])
    assert nobody.to_dict()["action_maxima"] == {"jawOpen": None, "yaw": None}
    assert timeline.events([(10, 12)])[0].action_means is None


@pytest.mark.parametrize(
    "events, complaint",
    [
        ([(3, 2)], "ends after its start"),
        ([(3,)], "is .start, end. or"),
        ([("a", "b")], "are seconds"),
        ([], "no events"),
        (3.0, "is .start, end. or"),
    ],
)
def test_unusable(timeline, events, complaint):
    with pytest.raises(EmoCLIPError, match=complaint):
        timeline.events(events)
