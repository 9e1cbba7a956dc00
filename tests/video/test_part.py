"""A part of a video: what each second shows is known, and times stay those of the whole."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emoclip_sdk.errors import EmoCLIPError, VideoError
from emoclip_sdk.video import PartSource, check_part, open_video

FPS = 10
SECONDS = 12


def level(second: int) -> int:
    return 20 * second + 10


@pytest.fixture
def seconds(make_video):
    """Return a function that writes a video whose gray level is that of its second."""

    def make(name: str, **more) -> str:
        frames = [np.full((48, 64, 3), level(i // FPS), np.uint8) for i in range(SECONDS * FPS)]
        return str(make_video(name, frames, fps=FPS, **more))

    return make


# Key frames each second with frames out of order between; containers that are searched by their
# index, by time of decoding, and by bytes.
GROUPS = {"g": "10", "bf": "2", "sc_threshold": "0"}
KINDS = [
    ("a.mp4", dict(options=GROUPS)),
    ("a.mkv", dict(options=GROUPS)),
    ("a.ts", dict(options=GROUPS)),
    ("open_groups.mp4", dict(options={**GROUPS, "x264-params": "open-gop=1"})),
    ("a.avi", dict(codec="mpeg4", options={"g": "10"})),
    ("a.mpg", dict(codec="mpeg2video", options={"g": "10", "bf": "2"})),
]


@pytest.mark.parametrize(("name", "more"), KINDS)
def test_a_part_is_the_same_as_that_stretch_of_the_whole(seconds, make_video, name, more) -> None:
    more = dict(more)
    if name.endswith(".mpg"):  # MPEG-2 knows no 10 frames a second
        frames = [np.full((48, 64, 3), level(i // 25), np.uint8) for i in range(SECONDS * 25)]
        more |= dict(time_base=Fraction(1, 25), ticks=range(len(frames)))
        path = str(make_video(name, frames, fps=25, **more))
    else:
        path = seconds(name, **more)
    video = open_video(path)
    whole = list(video.frames())
    zero = whole[0].time
    for start, end in ((7.0, 9.0), (3.25, 3.5), (0.0, 0.5), (10.5, None), (None, 2.0)):
        start, end = start and start + zero, end and end + zero
        part = PartSource(open_video(path), start, end)
        got = list(part.frames())
        # A frame counts until the next one comes.
        until = [frame.time for frame in whole[1:]] + [whole[-1].time + 1 / FPS]
        same = [
            frame
            for frame, stop in zip(whole, until, strict=True)
            if stop > (start or 0) + 2e-3 and frame.time < (end or 99) - 2e-3
        ]
        assert [frame.index for frame in got] == [frame.index for frame in same]
        assert [f.time for f in got] == [max(f.time, start or 0) for f in same]
        assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(got, same, strict=True))
        for frame in got[1:]:
            second = int(frame.time - zero + 1e-3)
            assert abs(float(frame.rgb.mean()) - level(second)) < 4
        assert part.duration == pytest.approx(end or video.duration, abs=1e-6)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_what_lies_before_is_not_decoded(seconds, name) -> None:
    source = open_video(seconds(name, options=GROUPS))
    raws = source.decode_from(9.5)
    assert 80 <= next(raws).index <= 95
    raws.close()


def test_sampling_goes_on_from_the_start(seconds) -> None:
    part = PartSource(open_video(seconds("a.mp4", options=GROUPS)), 4.0, 6.0)
    assert [frame.time for frame in part.sample(2)] == [4.0, 4.5, 5.0, 5.5]
    assert [frame.index for frame in part.choose(lambda n: [0, n - 1])] == [40, 59]


def test_what_is_on_the_screen_when_it_begins_is_shown(make_video) -> None:
    slides = [np.full((48, 64, 3), gray, np.uint8) for gray in (50, 150, 250)]
    path = make_video("slides.mkv", slides, ticks=[0, 6000, 12000])  # at 0, 10 and 20 s
    part = PartSource(open_video(path), 14.0, 16.0)
    (frame,) = part.frames()
    assert (frame.index, frame.time) == (1, 14.0)
    assert abs(float(frame.rgb.mean()) - 150) < 4
    assert part.duration == 16.0


def test_a_part_of_which_nothing_is_there(seconds, make_video) -> None:
    path = seconds("a.mp4", options=GROUPS)
    with pytest.raises(VideoError, match="ends at 12 s, before the start at 20"):
        list(PartSource(open_video(path), 20.0).frames())
    late = make_video(
        "late.mkv", [np.zeros((48, 64, 3), np.uint8)] * 5, ticks=range(3000, 3300, 60)
    )
    with pytest.raises(VideoError, match="shows nothing before 2 s: its pictures begin at 5 s"):
        list(PartSource(open_video(late), None, 2.0).frames())
    for start, end in ((-1.0, None), (3.0, 3.0), (float("nan"), None), (None, 0.0)):
        with pytest.raises(EmoCLIPError, match="start"):
            check_part(start, end)


def test_hours_into_a_recording(make_video) -> None:
    """The clock takes no jump of more than an hour for real, unless it was a seek."""
    frames = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(24)]
    ticks = [i * 600 * 600 for i in range(24)]  # one each ten minutes
    path = make_video("long.mkv", frames, ticks=ticks, options={"g": "1"})
    part = PartSource(open_video(path), 9000.0, 10300.0)
    assert [(f.index, f.time) for f in part.frames()] == [(15, 9000.0), (16, 9600.0), (17, 10200.0)]
    assert part.duration == 10300.0
