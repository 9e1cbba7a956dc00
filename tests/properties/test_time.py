"""Sampling, clips and windows: what holds for every video."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emoclip_sdk.inference.clips import spans
from emoclip_sdk.inference.frames import EmbeddedFrame
from emoclip_sdk.inference.windows import windows
from emoclip_sdk.results.analysis import cells
from emoclip_sdk.results.scored_windows import ScoredWindows, TimelineRow
from emoclip_sdk.video import uniform
from emoclip_sdk.video.sampling import inside, paper


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_uniform_is_spread_evenly(n, n_frames):
    chosen = uniform(n, n_frames)
    assert len(chosen) == min(n, n_frames)
    steps = np.diff(chosen)
    assert not len(steps) or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    if len(chosen):  # as far from the beginning as from the end
        assert chosen[0] >= 0 and chosen[-1] < n
        assert abs(int(chosen[0]) - (n - 1 - int(chosen[-1]))) <= 1


@given(st.integers(1, 500), st.integers(1, 64), st.integers(1, 9), st.integers(0, 2**31))
def test_training_clips_are_full_and_of_the_stride(n, n_frames, stride, seed):
    for draw in (inside, paper):
        clip = draw(n, n_frames, stride, np.random.default_rng(seed))
        assert clip.shape == (n_frames,)
        assert (clip % stride == 0).all() and clip.min() >= 0 and clip.max() < n
        assert (clip == draw(n, n_frames, stride, np.random.default_rng(seed))).all()
    clip = inside(n, n_frames, stride, np.random.default_rng(seed))
    assert (np.diff(clip) >= 0).all()


@st.composite
def videos(draw):
    """Sampled frames in order of time, and which of three tracks each of them shows."""
    steps = draw(st.lists(st.sampled_from([0.04, 1 / 7, 0.2, 0.5, 2.5]), min_size=1, max_size=60))
    times = np.cumsum(steps) - steps[0]
    shown = draw(st.lists(st.sets(st.integers(0, 2)), min_size=len(times), max_size=len(times)))
    return [
        EmbeddedFrame(float(t), {k: np.array([i, k], np.float32) for k in sorted(tracks)})
        for i, (t, tracks) in enumerate(zip(times, shown, strict=True))
    ]


def frame_numbers(clip):
    return [int(item[0]) for item in clip if item is not None]


@given(videos(), st.integers(1, 12))
def test_every_sight_of_a_face_is_in_a_clip_of_the_span(frames, n_frames):
    found = {0: [], 1: [], 2: []}
    for track, clip in spans(((f.time, f.faces) for f in frames), n_frames):
        assert 1 <= len(clip) <= n_frames
        numbers = frame_numbers(clip)
        assert numbers == sorted(numbers) and numbers
        assert all(item is None or item[1] == track for item in clip)
        # A gap keeps its length.
        places = [(i, int(item[0])) for i, item in enumerate(clip) if item is not None]
        assert len({i - number for i, number in places}) == 1
        found[track] += numbers
    for track, numbers in found.items():
        assert sorted(set(numbers)) == [i for i, f in enumerate(frames) if track in f.faces]


@given(
    videos(),
    st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    st.sampled_from([0.1, 0.25, 1.0, 3.0]),
    st.integers(1, 12),
)
def test_windows_cover_what_they_say(frames, window, step, n_frames):
    end = frames[-1].time + 1.0
    until = [*(f.time for f in frames[1:]), end]  # what is on the screen stays until the next
    rows = list(windows(frames, window, step, n_frames, lambda: end))
    for k, clips in enumerate(rows):
        assert clips and len({clip.track for clip in clips}) == len(clips)
        for clip in clips:
            assert abs(clip.start - k * step) < 1e-6
            assert clip.end <= end + 1e-6 and clip.end - clip.start <= window + 1e-6
            shown = [
                (i, max(f.time, clip.start), min(until[i], clip.end))
                for i, f in enumerate(frames)
                if clip.track in f.faces and f.time < clip.end - 1e-5
            ]
            shown = [(i, a, b) for i, a, b in shown if b > a + 1e-5]
            long = min(0.25, (clip.end - clip.start) / 2) - 5e-6
            inside = [
                i for i, a, b in shown if b - a >= long or frames[i].time >= clip.start - 5e-6
            ]
            if clip.n_frames:
                assert abs(clip.seen[0][0] - shown[0][1]) < 1e-5
                assert abs(clip.seen[-1][1] - shown[-1][2]) < 1e-5
                seconds = sum(b - a for a, b in clip.seen)
                assert abs(seconds - sum(b - a for _, a, b in shown)) < 1e-3
            assert clip.n_frames == len(inside)
            assert len(clip.clip) <= n_frames
            assert set(frame_numbers(clip.clip)) <= set(inside)
            assert bool(frame_numbers(clip.clip)) == bool(inside)
    assert abs(rows[-1][0].end - end) < 1e-6 or step > window
    # A row at once, or when it is known who comes back: the same of everybody who is there.
    soon = list(windows(frames, window, step, n_frames, lambda: end, at_once=True))
    seen = [[(c.track, c.n_frames) for c in clips if c.n_frames] for clips in rows]
    assert [[(c.track, c.n_frames) for c in clips if c.n_frames] for clips in soon] == seen


@given(
    videos(),
    st.sampled_from([0.1, 0.25, 1.0, 2.0]),
    st.sampled_from([0.1, 0.25, 1.0, 3.0]),
)
def test_time_in_which_a_face_is_seen_is_told_once_and_no_other(frames, window, step):
    end = frames[-1].time + 0.5
    rows = tuple(
        TimelineRow(c.track, c.start, c.end, c.n_frames, {"joy": 1.0}, {"joy": 1.0}, seen=c.seen)
        for clips in windows(frames, window, step, 8, lambda: end)
        for c in clips
    )
    told = cells(ScoredWindows("clip.mp4", ("joy",), window, step, rows))
    until = [*(f.time for f in frames[1:]), end]
    for track, track_cells in told.items():
        times = np.arange(0.0005, end, 0.0101)  # between all borders
        shown, looked_at, spoken_for = (np.zeros(len(times), int) for _ in range(3))
        for frame, stop in zip(frames, until, strict=True):
            if track in frame.faces:
                shown |= (times > frame.time) & (times < stop)
        for row in rows:
            if row.track == track and row.n_frames:
                looked_at |= (times > row.start) & (times < row.end)
        for cell in track_cells:
            spoken_for += (times > cell.start) & (times < cell.end)
        assert (spoken_for == (shown & looked_at)).all()
