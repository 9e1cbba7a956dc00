"""Clips laid over frame embeddings: spans of tracks, windows of time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emoclip_sdk.faces import Face, FrameFaces
from emoclip_sdk.inference.clips import Span, pool_clips, spans, track_clips
from emoclip_sdk.inference.frames import EmbeddedFrame, embed_faces
from emoclip_sdk.inference.windows import WindowClip, windows


def frame(i, *tracks, side=4):
    faces = tuple(
        Face(
            t, (0.0, 0.0, 5.0 + t, 10.0), 0.9, True, np.full((side, side, 3), 10 * t + i, np.uint8)
        )
        for t in tracks
    )
    return FrameFaces(i, i / 7, faces, (10, 10))


def first_pixel(crops, shapes):
    return crops[:, 0, 0, :2].astype(np.float32)


def seen(times, *tracks):
    """Frames whose embedding is their number; `tracks`: in which frames each is in view."""
    return [
        EmbeddedFrame(
            float(time), {t: np.array([i], np.float32) for t, at in enumerate(tracks) if i in at}
        )
        for i, time in enumerate(times)
    ]


def numbers(clip):
    return [None if vector is None else int(vector[0]) for vector in clip]


def track_spans(frames, n_frames):
    return spans(((frame.time, frame.faces) for frame in frames), n_frames)


def every_window(*arguments, **options):
    return itertools.chain.from_iterable(windows(*arguments, **options))


def mean(frames, rows):
    return np.stack([frames[[r for r in row if r >= 0]].mean(axis=0) for row in rows])


def test_embed_faces_keeps_times_and_tracks():
    stream = [frame(0), frame(1, 0), frame(2, 0, 1), frame(3, 1), frame(4, 0)]
    found = list(embed_faces(iter(stream), first_pixel))
    np.testing.assert_allclose([f.time for f in found], np.arange(5) / 7)
    assert [{t: v[0] for t, v in f.faces.items()} for f in found] == [
        {}, {0: 1}, {0: 2, 1: 12}, {1: 13}, {0: 4},
    ]  # fmt: skip


def test_embed_faces_in_batches_and_without_a_face():
    sizes = []

    def encode(crops, shapes):
        sizes.append(len(crops))
        assert len(shapes) == len(crops)
        return first_pixel(crops, shapes)

    found = list(embed_faces((frame(i, 0, 1) for i in range(100)), encode))
    assert sum(sizes) == 200 and max(sizes) <= 65
    assert [f.faces[0][0] for f in found] == list(range(100))
    sizes.clear()
    assert len(list(embed_faces((frame(i) for i in range(600)), encode))) == 600 and not sizes


def test_frames_without_a_face_do_not_pile_up():
    read = []

    def stream():
        for i in range(2000):
            read.append(i)
            yield frame(i)

    for i, _ in enumerate(embed_faces(stream(), first_pixel)):
        assert len(read) - i <= 257


def test_spans_follow_one_another_and_the_last_one_ends_the_track():
    (only,) = track_spans(seen(np.arange(6) / 7, {2, 4}), 4)
    assert only[0] == 0 and numbers(only[1]) == [2, None, 4]  # first to last sight, the gap kept
    clips = list(track_spans(seen(np.arange(10) / 7, set(range(10))), 4))
    assert [numbers(clip) for _, clip in clips] == [[0, 1, 2, 3], [4, 5, 6, 7], [6, 7, 8, 9]]
    away = list(track_spans(seen(np.arange(12) / 7, {0, 1, 10, 11}), 4))
    assert [numbers(clip) for _, clip in away] == [[0, 1, None, None], [None, None, 10, 11]]
    assert list(track_spans(seen([0, 1]), 4)) == []


def test_a_track_that_is_gone_for_good_is_given_out_and_forgotten():
    read = []

    def stream():
        for i in range(100):
            read.append(i)
            yield EmbeddedFrame(i / 7, {0: np.zeros(1, np.float32)} if i < 3 else {})

    track, clip = next(track_spans(stream(), 32))
    assert (track, len(clip)) == (0, 3)
    assert len(read) / 7 < 3 / 7 + 2.0 + 0.5, "long before the end of the video"


def test_span_of_rows_ignores_what_lies_outside():
    span = Span(3)
    span.skip()
    found = [clip for row in range(4) for clip in span.push(row)]
    span.skip()
    assert found + list(span.finish()) == [[0, 1, 2], [1, 2, 3]]


def test_track_clips_pools_each_track():
    times = np.arange(9) / 7
    found = track_clips(seen(times, {0, 1, 2, 3, 4}, {6}), 3, mean)
    assert {track: vectors[:, 0].tolist() for track, vectors in found.items()} == {
        0: [1.0, 3.0],
        1: [6.0],
    }


def test_pool_clips_masks_gaps():
    a, b, c = (np.array([x], np.float32) for x in (1, 2, 4))
    asked = []

    def pool(frames, rows):
        asked.extend(rows)
        return mean(frames, rows)

    assert pool_clips([[a, None, b], [c]], pool)[:, 0].tolist() == [1.5, 4.0]
    assert asked == [[0, -1, 1], [2]]


def plan(frames, window, step, duration=None, n_frames=32):
    found = every_window(frames, window, step, n_frames, lambda: duration)
    return [(w.track, w.start, w.end, numbers(w.clip)) for w in found]


def test_windows_slide_to_the_end():
    frames = seen(np.arange(0, 5, 0.5), set(range(10)))
    assert plan(frames, 2.0, 1.0, 5.0) == [
        (0, 0.0, 2.0, [0, 1, 2, 3]),
        (0, 1.0, 3.0, [2, 3, 4, 5]),
        (0, 2.0, 4.0, [4, 5, 6, 7]),
        (0, 3.0, 5.0, [6, 7, 8, 9]),
    ]


def test_the_last_window_is_cut_at_the_end():
    frames = seen(np.arange(0, 2.5, 0.5), set(range(5)))
    assert plan(frames, 2.0, 2.0, 2.5) == [(0, 0.0, 2.0, [0, 1, 2, 3]), (0, 2.0, 2.5, [4])]
    assert plan(frames[:2], 2.0, 1.0, 1.0) == [(0, 0.0, 1.0, [0, 1])]
    assert plan(frames[:2], 2.0, 1.0) == [(0, 0.0, 1.0, [0, 1])], "the end is inferred"


def test_what_is_on_the_screen_stays_until_the_next_frame():
    # Three frames as of a slide show; the face comes with the second one.
    frames = seen([0.0, 2.0, 4.967], {1, 2})
    shown = list(every_window(frames, 0.1, 0.1, 32, lambda: 5.0))
    assert len(shown) == 50
    assert [clip.track for clip in shown] == [None] * 20 + [0] * 30
    assert [clip.start for clip in shown] == [i / 10 for i in range(50)], "no 0.30000000000000004"
    assert shown[20].seen == ((2.0, 2.1),) and shown[-1].seen == ((4.9, 5.0),)
    # Shown for three seconds, which is no time away; then gone for longer than is remembered.
    slides = list(every_window(seen([0.0, 3.0, 4.0, 7.0, 7.5], {0, 1}, {3}), 1, 1, 32, lambda: 8.0))
    assert [clip.track for clip in slides] == [0, 0, 0, 0, None, None, None, 1]
    assert slides[-1].seen == ((7.0, 7.5),)
    # A window that begins between two sampled frames does not count the one before it.
    often = list(every_window(seen(np.arange(14) / 7, set(range(14))), 1.0, 0.25, 32))
    assert [clip.n_frames for clip in often] == [7] * 5
    assert [clip.seen for clip in often] == [((i / 4, i / 4 + 1),) for i in range(5)]


def test_windows_of_a_video_that_begins_late_are_cut_where_it_begins():
    frames = seen(1.5 + np.arange(14) / 7, set(range(7, 14)))
    shown = list(every_window(frames, 1.0, 0.5, 32, lambda: 3.5))
    assert [(clip.start, clip.end) for clip in shown] == [
        (1.5, 2.5), (2.0, 3.0), (2.5, 3.5),
    ]  # fmt: skip
    assert [clip.seen for clip in shown] == [(), ((2.5, 3.0),), ((2.5, 3.5),)]
    shown = list(every_window(frames, 2.0, 1.0, 32, lambda: 3.5))
    assert [(clip.start, clip.end) for clip in shown] == [(1.5, 3.0), (2.0, 3.5)]
    # Windows with room between them: the first one that shows a picture.
    shown = list(every_window(frames, 0.5, 2.0, 32, lambda: 3.5))
    assert [(clip.start, clip.end) for clip in shown] == [(2.0, 2.5)]


def test_odd_cases_of_windows():
    assert plan([], 1.0, 1.0) == []
    assert plan(seen([0.0], {0}), 1.0, 1.0) == [(0, 0.0, 0.0, [0])], "a single picture"
    found = plan(seen([i / 10 for i in range(10)], set(range(10))), 0.1, 0.1)
    assert [clip for *_, clip in found] == [[i] for i in range(10)], "no rounding at the borders"
    sparse = plan(seen(np.arange(10.0), set(range(10))), 1.0, 4.0)
    assert [(start, clip) for _, start, _, clip in sparse] == [(0.0, [0]), (4.0, [4]), (8.0, [8])]
    late = plan(seen(np.arange(0, 4, 0.5), set(range(8))), 1.0, 1.0, 2.0)
    assert sorted({i for *_, clip in late for i in clip}) == list(range(8)), "a wrong duration"


def test_a_long_window_is_thinned_without_its_gaps():
    frames = seen(np.arange(9) / 7, {0, 1, 2, 4, 5, 6, 7, 8})
    (found,) = every_window(frames, 9.0, 9.0, 4)
    assert numbers(found.clip) == [1, 4, 6, 8] and found.n_frames == 8
    (short,) = every_window(frames, 9.0, 9.0, 9)
    assert numbers(short.clip) == [0, 1, 2, None, 4, 5, 6, 7, 8]


def test_a_gap_belongs_to_a_track_that_comes_back_else_to_nobody():
    times = np.arange(0, 8, 0.5)
    back = seen(times, {0, 1, 2, 3, 8, 9})  # away from 2.0 to 3.5
    assert plan(back, 1.0, 1.0, 8.0) == [
        (0, 0.0, 1.0, [0, 1]),
        (0, 1.0, 2.0, [2, 3]),
        (0, 2.0, 3.0, []),
        (0, 3.0, 4.0, []),
        (0, 4.0, 5.0, [8, 9]),
        (None, 5.0, 6.0, []),
        (None, 6.0, 7.0, []),
        (None, 7.0, 8.0, []),
    ]
    # Somebody else is there meanwhile: no window is nobody's, and the order is that of time.
    both = seen(times, {0, 1, 2, 3}, set(range(2, 16)))
    assert [(track, start) for track, start, *_ in plan(both, 1.0, 1.0, 8.0)] == [
        (0, 0.0), (0, 1.0), (1, 1.0), *((1, float(t)) for t in range(2, 8)),
    ]  # fmt: skip


@pytest.mark.parametrize("step", [0.25, 1.0, 3.0])
def test_windows_hold_a_few_seconds_only(step):
    read = []

    def stream():
        for i in range(700):
            read.append(i)
            yield EmbeddedFrame(i / 7, {0: np.zeros(1, np.float32)} if i % 50 < 30 else {})

    for found in every_window(stream(), 1.0, step, 32):
        assert isinstance(found, WindowClip)
        assert len(read) / 7 - found.start < 1.0 + 2.0 + 0.5


def test_windows_at_once_wait_for_nobody():
    # The face is away when the first window ends, and comes back later.
    frames = seen(np.arange(30) / 10, set(range(4)) | set(range(14, 30)))
    taken = []

    def stream():
        for frame in frames:
            taken.append(frame.time)
            yield frame

    when = [
        (clips[0].start, clips[0].track, taken[-1])
        for clips in windows(stream(), 0.5, 0.5, 32, at_once=True)
    ]
    assert when[:3] == [(0.0, 0, 0.5), (0.5, None, 1.0), (1.0, 0, 1.5)]


def test_time_that_no_frame_fills(monkeypatch) -> None:
    from emoclip_sdk.errors import VideoError
    from emoclip_sdk.inference import window_budget
    from emoclip_sdk.inference.window_budget import WindowBudget

    monkeypatch.setattr(window_budget, "ANY_VIDEO", 10)
    monkeypatch.setattr(window_budget, "PER_FRAME", 5)
    budget = WindowBudget("a.mp4")
    assert list(budget.frames("abc")) == ["a", "b", "c"]
    assert len(list(budget.windows(range(25)))) == 25
    with pytest.raises(VideoError, match="3 pictures in a time of more than 25 windows"):
        list(budget.windows(range(26)))
