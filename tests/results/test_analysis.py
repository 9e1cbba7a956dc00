"""What is told of a timeline: cells, runs, episodes, summaries; other steps of time."""

from __future__ import annotations

import math

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.results.analysis import cells, runs
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

NAN = math.nan


def timeline(scores, window=2.0, step=1.0, track=0, **more):
    """One face; `scores`: of the label "joy" in each window, None where the face is away."""
    rows = []
    for i, joy in enumerate(scores):
        named = {"joy": NAN, "rage": NAN} if joy is None else {"joy": joy, "rage": 1 - joy}
        confidence = NAN if joy is None else max(joy, 1 - joy)
        box = None if joy is None else (10.0 * i, 0.0, 10.0 * i + 10, 10.0)
        rows.append(
            TimelineRow(
                track,
                i * step,
                i * step + window,
                0 if joy is None else 14,
                named,
                dict(named),
                confidence,
                confidence < more.get("min_score", 0.0),
                box,
                NAN if joy is None else 0.9,
            )
        )
    return Timeline("clip.mp4", ("joy", "rage"), window, step, tuple(rows), **more)


def spans(found):
    return [(cell.start, cell.end) for cell in cells(found)[0]]


def test_windows_that_overlap_share_time_by_their_middles():
    assert spans(timeline([0.9] * 3)) == [(0, 1.5), (1.5, 2.5), (2.5, 4)]
    assert spans(timeline([0.9] * 2, window=1.0)) == [(0, 1), (1, 2)]
    assert spans(timeline([0.9] * 2, window=1.0, step=3.0)) == [(0, 1), (3, 4)]


def laid(stretches, window, step, end):
    """Lay windows over a face that is on the screen in some stretches of a video."""
    rows = []
    for k in range(math.ceil((end - window) / step - 1e-9) + 1):
        start, stop = k * step, min(k * step + window, end)
        seen = tuple((max(a, start), min(b, stop)) for a, b in stretches if a < stop and b > start)
        scores = {"joy": 0.9, "rage": 0.1} if seen else {"joy": NAN, "rage": NAN}
        track = 0 if seen else None
        rows.append(TimelineRow(track, start, stop, len(seen), scores, scores, 0.9, seen=seen))
    return Timeline("clip.mp4", ("joy", "rage"), window, step, tuple(rows), duration=end)


@pytest.mark.parametrize(("window", "step"), [(2.0, 0.25), (2.0, 1.0), (0.5, 0.5), (3.0, 2.8)])
def test_a_window_speaks_only_for_time_in_which_the_face_was_seen(window, step):
    late = laid([(2.0, 5.0)], window, step, 5.0)
    (joy,) = late.episodes()
    assert (joy.onset, joy.offset) == (2.0, 5.0)
    (face,) = late.summary()
    assert (face.start, face.end, face.seconds) == (2.0, 5.0, 3.0)
    assert [(run.start, run.end) for run in runs(late)[0]] == [(2.0, 5.0)]
    halves = late.resample(0.5)
    assert [(row.track, row.start) for row in halves] == [
        *((0, 2 + i / 2) for i in range(6)),
        *((None, i / 2) for i in range(4)),
    ]
    assert halves.summary()[0].seconds == 3.0, "and so does what is made of it"
    # Away for a moment, in the middle of windows that see the face before and after.
    twice = laid([(0.5, 1.0), (2.25, 4.0)], window, step, 5.0)
    assert [(e.onset, e.offset) for e in twice.episodes()] == [(0.5, 1.0), (2.25, 4.0)]
    assert twice.summary()[0].seconds == 2.25
    assert [row.start for row in twice.resample(0.25) if row.face_found] == [
        0.5, 0.75, *(2.25 + i / 4 for i in range(7)),
    ]  # fmt: skip


def test_runs_of_the_best_label_stop_where_the_model_abstains():
    found = runs(timeline([0.9, 0.8, 0.55, 0.1, 0.2, None, 0.1], window=1.0, min_score=0.6))[0]
    assert [(run.label, run.start, run.end) for run in found] == [
        ("joy", 0, 2),
        ("rage", 3, 5),
        ("rage", 6, 7),
    ]
    assert found[0].score == pytest.approx(0.85)


def test_episodes():
    scores = [0.1, 0.6, 0.9, 0.7, 0.2, 0.8, 0.1, 0.1, 0.1, 0.6]
    found = [e for e in timeline(scores, window=1.0).episodes(0.5) if e.label == "joy"]
    assert [(e.onset, e.apex, e.offset, e.peak) for e in found] == [
        (1, 2.5, 4, 0.9),
        (5, 5.5, 6, 0.8),
        (9, 9.5, 10, 0.6),
    ]
    assert found[0].mean == pytest.approx((0.6 + 0.9 + 0.7) / 3)
    merged = timeline(scores, window=1.0).episodes(0.5, merge_gap=1.0, min_duration=2.0)
    assert [(e.label, e.onset, e.offset) for e in merged] == [("joy", 1, 6), ("rage", 4, 9)]
    assert timeline([0.55], min_score=0.6).episodes() == []


def test_a_picture_is_summed_up_though_it_takes_no_time():
    (summary,) = timeline([0.9], window=0.0).summary()
    assert summary.seconds == 0 and summary.shares == {"joy": 1.0, "rage": 0.0}
    assert summary.scores == pytest.approx({"joy": 0.9, "rage": 0.1})
    assert timeline([None], window=0.0).summary() == []


def test_summary():
    (found,) = timeline([0.9, 0.9, 0.2, 0.55, None, 0.9], window=1.0, min_score=0.6).summary()
    assert (found.start, found.end, found.seconds) == (0, 6, 5)
    assert found.shares == pytest.approx({"joy": 0.6, "rage": 0.2}) and found.abstained_share == 0.2
    assert found.scores["joy"] == pytest.approx((0.9 * 3 + 0.2 + 0.55) / 5)
    assert found.to_record()["share:joy"] == pytest.approx(0.6)
    assert timeline([]).summary() == []


def test_resample():
    found = timeline([0.9, 0.7, 0.2, 0.4, None, 1.0], window=1.0).resample(2.0)
    assert [(row.start, row.end) for row in found] == [(0, 2), (2, 4), (4, 6)]
    assert [row.scores["joy"] for row in found] == pytest.approx([0.8, 0.3, 1.0])
    assert [row.n_frames for row in found] == [28, 28, 14]
    assert found.rows[0].box == (5, 0, 15, 10) and found.rows[0].confidence == pytest.approx(0.8)
    assert (found.window, found.step) == (2.0, 2.0)
    finer = timeline([0.9, None, 0.2], window=1.0).resample(0.5)
    assert [row.face_found for row in finer] == [True, True, False, False, True, True]
    assert math.isnan(finer.rows[2].scores["joy"])
    overlapping = timeline([0.9] * 5).resample(20.0)
    assert len(overlapping) == 1 and overlapping.rows[0].end == 6.0


def test_resample_keeps_time_in_which_nobody_is_there():
    nothing = {"joy": NAN, "rage": NAN}
    nobody = tuple(TimelineRow(None, t, t + 1.0, 0, nothing, nothing) for t in (2.0, 3.0, 4.0))
    seen = timeline([0.9, 0.9], window=1.0)
    both = Timeline("clip.mp4", seen.labels, 1.0, 1.0, seen.rows + nobody)
    found = both.resample(1.5)
    assert [(row.track, row.start, row.end) for row in found] == [
        (0, 0, 1.5), (0, 1.5, 3), (None, 3, 4.5), (None, 4.5, 5),
    ]  # fmt: skip


def test_smooth():
    before = timeline([0.9, 0.1, None, 0.9], window=1.0, min_score=0.6)
    found = before.smooth(2.0)
    assert [row.scores["joy"] for row in found.rows[:2]] == pytest.approx([0.5, 0.5])
    assert found.rows[3].scores["joy"] == 0.9 and not found.rows[2].face_found
    assert found.rows[0].confidence == pytest.approx(0.9) and not found.rows[0].abstained
    assert [row.start for row in found] == [row.start for row in before]
    assert [row.scores["joy"] for row in before.smooth(0.5).rows[:2]] == [0.9, 0.1]


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.resample(0),
        lambda t: t.smooth(NAN),
        lambda t: t.episodes(1.5),
        lambda t: t.episodes(0.5, min_duration=-1),
    ],
)
def test_refused(call):
    with pytest.raises(EmoCLIPError, match="not|can't"):
        call(timeline([0.9]))
