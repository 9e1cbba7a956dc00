"""Frames chosen by time, never by count."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video, uniform

from .conftest import gray_ramp


def numbers(frames) -> list[int]:
    return [f.index for f in frames]


@pytest.mark.parametrize("fps", [25, 30, 50, 60, 29.97, 120])
def test_sampled_frames_are_those_on_display(fps) -> None:
    n = int(fps * 3)
    video = open_video(np.zeros((n, 2, 2, 3), np.uint8), fps=fps)
    frames = list(video.sample(7))
    assert len(frames) == 21
    for k, frame in enumerate(frames):
        assert frame.time <= k / 7 + 0.0021
        assert frame.time + 1 / fps > k / 7 - 0.0021


def test_60_fps_means_the_same_as_30_fps(make_video) -> None:
    slow = gray_ramp(60)
    fast = [frame for frame in slow for _ in range(2)]
    a = list(open_video(make_video("a.mp4", slow, fps=30)).sample(7))
    b = list(open_video(make_video("b.mp4", fast, fps=60)).sample(7))
    assert len(a) == len(b) == 14
    assert [f.rgb.mean() for f in a] == pytest.approx([f.rgb.mean() for f in b], abs=2)
    assert [f.index for f in a] == [f.index // 2 for f in b]


def test_variable_frame_rate_is_sampled_by_time(make_video) -> None:
    # 1 s at 60 fps, then 1 s at 10 fps: by count, most samples would be from the first second.
    ticks = [i * 10 for i in range(60)] + [600 + i * 60 for i in range(10)]
    path = make_video("v.mkv", gray_ramp(70, step=3), codec="ffv1", ticks=ticks)
    frames = list(open_video(path).sample(5))
    assert [f.time for f in frames] == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8], abs=0.002
    )
    assert [f.rgb.mean() for f in frames] == pytest.approx([3 * i for i in numbers(frames)], abs=2)


def test_a_long_still_in_a_variable_rate_file_is_one_frame(make_video) -> None:
    path = make_video("v.mkv", gray_ramp(4), codec="ffv1", ticks=[0, 60, 1260, 1320])
    assert numbers(open_video(path).sample(10)) == [0, 1, 2, 3]


def test_after_a_long_still_sampling_does_not_catch_up(make_video) -> None:
    ticks = [0, *range(1200, 1750, 10)]  # 2 s of one picture, then 0.9 s at 60 fps
    path = make_video("v.mkv", gray_ramp(56), codec="ffv1", ticks=ticks)
    assert numbers(open_video(path).sample(10)) == [0, *range(1, 56, 6)]


def test_rounded_time_stamps_change_nothing(make_video) -> None:
    frames = gray_ramp(60)  # Matroska rounds to 1 ms, MP4 does not
    exact = list(open_video(make_video("a.mp4", frames)).sample(6))
    rounded = list(open_video(make_video("a.mkv", frames, codec="ffv1")).sample(6))
    assert numbers(exact) == numbers(rounded) == list(range(0, 60, 5))


def test_a_slow_source_gives_every_frame_once() -> None:
    assert numbers(open_video(np.zeros((6, 2, 2, 3), np.uint8), fps=3).sample(7)) == list(range(6))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_very_short_video_gives_its_first_frame(n) -> None:
    assert numbers(open_video(np.zeros((n, 2, 2, 3), np.uint8), fps=30).sample(7)) == [0]


def test_only_what_is_sampled_is_converted() -> None:
    from emoclip_sdk.video.pictures import StillsSource

    loaded = []

    def load(i: int) -> np.ndarray:
        loaded.append(i)
        return np.zeros((2, 2, 3), np.uint8)

    frames = StillsSource("s", 100_000, load, 25.0).sample(5)
    for _ in range(4):
        next(frames)
    assert loaded == [0, 5, 10, 15]


def test_pick_keeps_order_and_repeats() -> None:
    video = open_video(np.stack(gray_ramp(9)))
    assert [f.rgb.mean() for f in video.pick([7, 0, 7])] == [28, 0, 28]
    assert video.count() == 9
    with pytest.raises(VideoError, match="frame number 9"):
        video.pick([0, 9])


def test_frames_are_counted_where_less_is_there_than_it_seems(make_video) -> None:
    source = open_video(make_video("a.mp4", gray_ramp(30)))
    assert source.expected_count() == 30
    for expected in (30, 40, None):
        source.expected_count = lambda n=expected: n  # type: ignore[method-assign,misc]
        assert numbers(source.choose(lambda n: uniform(n, 4))) == uniform(30, 4).tolist()
