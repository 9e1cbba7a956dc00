"""Video files: frames, times, colors, orientation, and damage."""

from __future__ import annotations

import logging
import struct
from fractions import Fraction

import numpy as np
import pytest
from builders import write_changing

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import Frame, open_video

from .conftest import HEIGHT, WIDTH, corners, gray_ramp, quadrants


def levels(frames: list[Frame]) -> list[float]:
    return [float(f.rgb.mean()) for f in frames]


def test_frames_of_a_file_have_numbers_times_and_pictures(make_video) -> None:
    video = open_video(make_video("a.mp4", gray_ramp(30)))
    assert video.name == "a.mp4"
    assert video.duration == pytest.approx(1.0, abs=0.01)
    frames = list(video.frames())
    assert [f.index for f in frames] == list(range(30))
    assert [f.time for f in frames] == pytest.approx([i / 30 for i in range(30)], abs=1e-6)
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)
    assert frames[0].rgb.dtype == np.uint8
    assert levels(frames) == pytest.approx([i * 4 for i in range(30)], abs=4)
    assert len(list(video.frames())) == 30, "a source can be read again"


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("odd.mkv", "ffv1", "yuv420p"),
        ("alpha.mov", "qtrle", "argb"),
        ("alpha.mkv", "ffv1", "yuva444p"),
        ("ten_bit.mkv", "ffv1", "yuv420p10le"),
        ("ten_bit.mov", "prores_ks", "yuv422p10le"),
        ("rgb48.mkv", "ffv1", "gbrp16le"),
    ],
)
def test_odd_sizes_alpha_and_depth_become_plain_rgb(make_video, name, codec, pix_fmt) -> None:
    size = (64, 48) if codec == "prores_ks" else (61, 37)
    path = make_video(name, [quadrants(0, *size)] * 4, codec=codec, pix_fmt=pix_fmt)
    frames = list(open_video(path).frames())
    assert len(frames) == 4
    for frame in frames:
        assert frame.rgb.shape == (size[1], size[0], 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.flags.c_contiguous
        assert corners(frame.rgb) == "rgbw"


def test_transparent_pixels_keep_their_color(make_video) -> None:
    picture = np.dstack([quadrants(), np.full((HEIGHT, WIDTH), 10, np.uint8)])
    path = make_video("a.mov", [picture] * 2, codec="qtrle", pix_fmt="argb")
    assert corners(next(open_video(path).frames()).rgb) == "rgbw"


def test_grey_video(make_video) -> None:
    gray = [np.full((37, 61), level, np.uint8) for level in (0, 100, 255)]
    frames = list(open_video(make_video("g.mkv", gray, codec="ffv1", pix_fmt="gray")).frames())
    assert frames[0].rgb.shape == (37, 61, 3)
    assert levels(frames) == pytest.approx([0, 100, 255], abs=2)


@pytest.mark.parametrize(
    ("turn", "matrix", "expected"),
    [
        (90, (0, 1, -1, 0), "brwg"),  # shown turned clockwise by 90 degrees
        (180, (-1, 0, 0, -1), "wbgr"),
        (270, (0, -1, 1, 0), "gwrb"),
    ],
)
def test_rotation_metadata_is_applied(make_video, turn, matrix, expected) -> None:
    path = make_video("r.mp4", [quadrants()] * 3)
    data = bytearray(path.read_bytes())
    # The 3 x 3 display matrix begins 40 bytes into the version 0 track header.
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (v * 0x10000 for v in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    frames = list(open_video(path).frames())
    for frame in frames:
        assert corners(frame.rgb) == expected
        assert frame.rgb.shape[:2] == ((HEIGHT, WIDTH) if turn == 180 else (WIDTH, HEIGHT))
        assert frame.rgb.flags.c_contiguous


def test_pixels_that_are_not_square_are_made_square(make_video) -> None:
    path = make_video("dvd.mp4", [quadrants()], pixel_aspect=Fraction(2))
    rgb = next(open_video(path).frames()).rgb
    assert rgb.shape == (HEIGHT, 2 * WIDTH, 3)
    assert corners(rgb) == "rgbw"


def test_size_and_pixel_aspect_may_change_on_the_way(tmp_path) -> None:
    parts = [[quadrants()] * 3, [quadrants(width=HEIGHT, height=WIDTH)] * 3]
    video = open_video(write_changing(tmp_path / "a.ts", parts))
    for frames in (list(video.frames()), video.pick(range(6))):
        assert [f.rgb.shape[:2] for f in frames] == [(HEIGHT, WIDTH)] * 3 + [(WIDTH, HEIGHT)] * 3
        assert {corners(f.rgb) for f in frames} == {"rgbw"}
    # As broadcasts go from 4:3 to 16:9: one size, pixels of another shape.
    path = write_changing(tmp_path / "b.ts", [parts[0], parts[0]], aspects=[1, Fraction(3, 2)])
    shapes = [f.rgb.shape[:2] for f in open_video(path).frames()]
    assert shapes == [(HEIGHT, WIDTH)] * 3 + [(HEIGHT, WIDTH * 3 // 2)] * 3


def test_orientation_may_change_on_the_way(tmp_path) -> None:
    """A message before a key frame of H.264 counts until the next key frame."""
    turns = [(0, 0, 270), (0, 0, 0), (1, 0, 0)]
    path = write_changing(tmp_path / "a.ts", [[quadrants()] * 3] * 3, turns=turns)
    video = open_video(path)
    for frames in (list(video.frames()), video.pick(range(9))):
        assert [corners(f.rgb) for f in frames] == ["brwg"] * 3 + ["rgbw"] * 3 + ["grwb"] * 3


def textured(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 255, (n, HEIGHT, WIDTH, 3)).astype(np.uint8))


def test_a_truncated_file_gives_the_frames_it_has(make_video, caplog) -> None:
    path = make_video("a.mp4", textured(40), container_options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    video = open_video(path)
    assert video.duration == pytest.approx(40 / 30, abs=0.02), "the header does not know"
    with caplog.at_level(logging.WARNING):
        frames = list(video.frames())
    assert 5 < len(frames) < 35
    assert video.duration == pytest.approx(frames[-1].time, abs=0.1), "a whole pass does"
    assert list(video.sample(7)), "sampling works too"


def test_a_file_without_its_index_is_an_error(make_video) -> None:
    path = make_video("a.mp4", textured(40))  # the index comes last
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(VideoError, match=r"a\.mp4.*cut off"):
        open_video(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_damage_in_the_middle_neither_hangs_nor_crashes(make_video, suffix) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = make_video(f"a.{suffix}", textured(40), codec=codec)
    data = bytearray(path.read_bytes())
    start = len(data) // 2
    data[start : start + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    assert len(list(open_video(path).frames())) >= 5


def test_a_file_of_which_nothing_decodes(make_video) -> None:
    path = make_video("a.mp4", textured(5), container_options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"a\.mp4"):
        list(open_video(path).frames())


def test_leaving_early_does_not_hang(make_video) -> None:
    import torchvision  # noqa: F401  # frame threads hang at this point when it is loaded

    path = make_video("a.mp4", textured(60))
    for _ in range(5):
        frames = open_video(path).frames()
        next(frames)
        frames.close()  # type: ignore[attr-defined]
