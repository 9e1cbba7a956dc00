"""Decoding no more than is needed gives what decoding everything gives."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emoclip_sdk.video import Frame, open_video, packets, uniform

from .test_source import numbers

decode = importlib.import_module("emoclip_sdk.video.decode")

CODECS = {
    "b-frames": ("a.mp4", "libx264", {"bf": "3", "g": "30"}),
    "pyramid": ("a.mkv", "libx264", {"bf": "8", "x264-params": "b-pyramid=normal", "g": "50"}),
    "open": ("a.mp4", "libx264", {"bf": "3", "g": "25", "x264-params": "open-gop=1"}),
    "stream": ("a.ts", "libx264", {"bf": "2", "g": "20"}),
    "hevc": ("a.mp4", "libx265", {"x265-params": "keyint=20:bframes=3:log-level=none"}),
    "mpeg4": ("a.avi", "mpeg4", {"bf": "2", "g": "12"}),
    "vp9": ("a.webm", "libvpx-vp9", {"g": "30", "cpu-used": "8", "auto-alt-ref": "1"}),
}


@pytest.fixture(params=CODECS)
def moving_video(request, make_video) -> Path:
    """A square on its way, in which a wrong frame shows."""
    name, codec, options = CODECS[request.param]
    return make_video(name, _moving(150), codec=codec, options=options, fps=30)


def _moving(n: int) -> list[np.ndarray]:
    frames = []
    for i in range(n):
        rgb = np.full((96, 128, 3), 30, np.uint8)
        x, y = 3 * i % 100, 2 * i % 60
        rgb[y : y + 24, x : x + 24] = (250, (5 * i) % 200, 60)
        frames.append(rgb)
    return frames


def _same(frames: Sequence[Frame], expected: Sequence[Frame]) -> None:
    assert numbers(frames) == numbers(expected)
    assert [f.time for f in frames] == pytest.approx([f.time for f in expected], abs=1e-6)
    for a, b in zip(frames, expected, strict=True):
        assert np.array_equal(a.rgb, b.rgb), a.index


@pytest.mark.parametrize("rate", [2.0, 7.0, 30.0])
def test_sampling_is_the_same_whatever_is_skipped(moving_video, rate, monkeypatch) -> None:
    source = open_video(moving_video)
    frames = list(source.sample(rate))
    duration = source.duration
    monkeypatch.setattr(packets.FrameSkipper, "prepare", lambda self, packet, needed: None)
    _same(frames, list(source.sample(rate)))
    assert duration == source.duration


def test_picking_is_the_same_from_key_frames(moving_video) -> None:
    source = open_video(moving_video)
    frames = list(source.frames())
    duration = source.duration
    for chosen in ([0, 40, 41, 80, 149], [149], [75, 3, 75], list(range(60, 100, 7))):
        _same(source.pick(chosen), [frames[i] for i in chosen])
    assert source.duration == pytest.approx(duration)


def test_what_is_not_needed_is_not_decoded(make_video, monkeypatch) -> None:
    path = make_video("a.mp4", _moving(150), options={"bf": "3", "g": "30"})
    decoded = []
    made = decode._converter
    monkeypatch.setattr(decode, "_converter", lambda *a: decoded.append(1) or made(*a))
    assert len(list(open_video(path).frames())) == len(decoded) == 150
    decoded.clear()
    assert len(list(open_video(path).sample(2))) == 10
    assert len(decoded) < 120, "frames that no other refers to are skipped"
    decoded.clear()
    number = packets.FrameTable.number
    monkeypatch.setattr(
        packets.FrameTable, "number", lambda self, pts: decoded.append(1) or number(self, pts)
    )
    open_video(path).pick([140])
    assert len(decoded) < 25, "decoding begins at the key frame"


def test_a_damaged_video_gives_what_it_can(make_video) -> None:
    path = make_video("a.mp4", _moving(150), options={"bf": "3", "g": "30"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    source = open_video(path)
    assert len(source.choose(lambda n: uniform(n, 8))) == 8
    assert len(list(source.sample(7))) > 20


def test_decoding_begins_at_the_last_key_frame_before() -> None:
    table = packets.FrameTable(9, np.arange(9), np.array([0, 3, 6]))
    assert [table.key_before(number) for number in (0, 2, 3, 5, 8)] == [0, 0, 3, 3, 6]


def test_what_is_shown_next_is_not_guessed() -> None:
    def packet(pts: int, dts: int) -> SimpleNamespace:
        return SimpleNamespace(size=1, pts=pts, dts=dts)

    # Frame 11 comes later than any packet that is read ahead.
    late = [packet(10, 0), *(packet(1000 + i, 1 + i) for i in range(40)), packet(1100, 1100)]
    assert next(packets.with_lookahead(late)) == (late[0], None)
    order = [packet(i, i) for i in range(100)]
    following = [after for _, after in packets.with_lookahead(order)]
    assert following[:60] == list(range(1, 61))
    assert following[-1] is None
    order[20].dts = 5  # time stamps run backwards: nothing is known from there on
    assert {after for _, after in packets.with_lookahead(order)} == {None}
