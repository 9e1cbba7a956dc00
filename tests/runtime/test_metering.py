from types import SimpleNamespace

import pytest

from emoclip_sdk.runtime import metering
from emoclip_sdk.runtime.metering import count_progress, counted, metered, numbered
from emoclip_sdk.runtime.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(metering.time, "monotonic", lambda: now.time)
    return now


def test_percent_speed_and_rest_of_a_part_of_a_video(clock):
    """From 10 s to 30 s of a video, 5 s of video in 2 s: a quarter, 2.5 times as fast, 6 s left."""
    events = []
    frames = [SimpleNamespace(time=t) for t in (10.0, 15.0, 15.1, 29.9)]
    items = metered(frames, events.append, "clip.mp4", start=10.0, duration=lambda: 30.0)
    next(items)
    clock.time += 2
    assert next(items) is frames[1]
    assert events[-1].fraction == 0.25 and events[-1].speed == 2.5
    assert str(events[-1]) == "clip.mp4: 25%, 2.5x real time, 0:06 left"
    told = len(events)
    next(items)
    assert len(events) == told  # no time has passed since
    clock.time += 2
    assert next(items, None) is frames[3] and next(items, None) is None
    assert events[0].seconds == 0.0 and events[-1].fraction == 1.0 and events[-1].done == 1
    assert str(events[-1]) == "clip.mp4: 100%, 5.0x real time"


def test_a_pipe_has_no_percent(clock):
    events = []
    items = metered([SimpleNamespace(time=t) for t in (0.0, 90.0)], events.append, "-")
    next(items)
    clock.time += 45
    next(items)
    assert events[-1].fraction is None and events[-1].remaining is None
    assert str(events[-1]) == "-: 1:30 of video, 2.0x real time"


def test_several_videos(clock):
    """The second of four, half read after 30 s: three eighths, so 50 s are left."""
    events = []
    clock.time += 30
    own = numbered(events.append, 1, 4, begun=100.0, name="b.mp4")
    own(Progress("other", seconds=5.0, duration=10.0, speed=2.0))
    assert events[-1].fraction == 0.375 and events[-1].remaining == pytest.approx(50.0)
    assert str(events[-1]) == "b.mp4: 2 of 4, 38%, 2.0x real time, 0:50 left"


def test_what_was_done_before_takes_no_time(clock):
    events = []
    report = count_progress(events.append, 10, done=6)
    report(6, "")
    assert events[-1].remaining is None
    clock.time += 8
    report(8, "h.mp4")
    assert events[-1].remaining == 8.0 and events[-1].fraction == 0.8


def test_counted_ends_with_all():
    events = []
    assert list(counted("abc", events.append, 3, "clips")) == ["a", "b", "c"]
    assert (events[0].done, events[-1].done) == (0, 3)


def test_hours():
    assert Progress("", seconds=1.0, duration=9.0, remaining=3725.0).state == "11%, 1:02:05 left"
