"""Times of frames are those of the container: what a player shows."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builders import write_video

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video

from .conftest import gray_ramp

B_FRAMES = {"bf": "2", "g": "10"}


def times(source, **options) -> list[float]:
    return [frame.time for frame in open_video(source, **options).frames()]


def every(seconds: float, n: int, start: float = 0.0) -> list[float]:
    return [round(start + i * seconds, 6) for i in range(n)]


def remuxed(source: Path, target: Path, shift: float, sound_from: float | None = None) -> Path:
    """Copy the packets of a video to another time, beside sound that begins at its own."""
    import av

    with av.open(str(source)) as file, av.open(str(target), "w") as out:
        stream = file.streams.video[0]
        copied = out.add_stream_from_template(stream)
        packets = []
        if sound_from is not None:
            tone = out.add_stream("mp2", 48000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
            frame.pts = int(48000 * sound_from)
            packets = [*tone.encode(frame), *tone.encode(None)]
        for packet in file.demux(stream):
            if packet.dts is not None:
                packet.pts += round(shift / packet.time_base)
                packet.dts += round(shift / packet.time_base)
                packet.stream = copied
                packets.append(packet)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            out.mux(packet)
    return target


@pytest.fixture
def twenty(make_video) -> Path:
    """Two seconds of H.264 with B-frames: frame i is shown at i / 10, its gray level is 10 i."""
    return make_video("twenty.mp4", gray_ramp(20, step=10), fps=10, options=B_FRAMES)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_container_with_a_zero_is_believed(twenty, tmp_path, ending) -> None:
    assert times(twenty) == every(0.1, 20)
    for sound_from in (None, 0.0):
        late = remuxed(twenty, tmp_path / f"late.{ending}", 1.5, sound_from)
        video = open_video(late)
        assert video.duration == pytest.approx(3.5, abs=2e-3)
        assert [f.time for f in video.frames()] == every(0.1, 20, 1.5)
        assert video.duration == pytest.approx(3.5, abs=2e-3)
        assert [f.time for f in video.pick([0, 19])] == [1.5, 3.4]
        # What is sampled doesn't depend on where the clock begins.
        sampled = [f.index for f in open_video(twenty).sample(7)]
        assert [f.index for f in video.sample(7)] == sampled


@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_a_container_that_counts_from_anywhere_begins_with_its_first_stream(
    tmp_path, ending
) -> None:
    source = broadcast(tmp_path / f"source.{ending}")
    assert times(source) == pytest.approx(every(0.04, 50), abs=2e-5)
    late = remuxed(source, tmp_path / f"late.{ending}", 1.5, sound_from=0.5)
    pictures, sound = raw_start(late, "video"), raw_start(late, "audio")
    assert sound > 0.4 and 0.9 < pictures - sound < 2.0, "what the file itself says"
    assert times(late) == pytest.approx(every(0.04, 50, pictures - sound), abs=2e-5)


def broadcast(path: Path) -> Path:
    """Two seconds at 25 fps; frame i has the gray level 4 i."""
    codec = "mpeg2video" if path.suffix == ".mpg" else "libx264"
    return write_video(path, gray_ramp(50), 25, codec=codec, options=B_FRAMES)


def raw_start(path: Path, kind: str) -> float:
    import av

    with av.open(str(path)) as file:
        stream = file.streams.best(kind)
        return float(stream.start_time * stream.time_base)


def test_what_was_cut_off_by_an_edit_list_is_not_there(twenty, tmp_path) -> None:
    cut = open_video(remuxed(twenty, tmp_path / "cut.mp4", -0.5))
    frames = list(cut.frames())
    assert [f.time for f in frames] == every(0.1, 15) and cut.duration == 1.5
    assert frames[0].rgb.mean() == pytest.approx(50, abs=4), "the sixth frame of the source"
    picked = cut.pick([0, 14])
    assert [f.time for f in picked] == [0.0, 1.4]
    assert [f.rgb.mean() for f in picked] == pytest.approx([50, 190], abs=4)


@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_recordings_joined_end_to_end_go_on(tmp_path, ending) -> None:
    one = broadcast(tmp_path / f"one.{ending}")
    other = remuxed(one, tmp_path / f"other.{ending}", 100.0)
    for parts in ((one, one, one), (one, other), (other, one)):
        joined = tmp_path / f"joined.{ending}"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        n = 50 * len(parts)
        video = open_video(joined)
        found = list(video.frames())
        assert [f.time for f in found] == pytest.approx(every(0.04, n), abs=2e-4)
        assert [f.rgb.mean() for f in found] == pytest.approx(
            [4 * (i % 50) for i in range(n)], abs=4
        )
        assert video.duration == pytest.approx(n / 25, abs=2e-4)
        (last,) = open_video(joined).choose(lambda n: [n - 1])
        assert last.time == pytest.approx((n - 1) / 25, abs=2e-4)
        assert last.rgb.mean() == pytest.approx(196, abs=4)


def test_a_stream_without_time_stamps_is_counted(make_video) -> None:
    timing = {"x264-params": "force-cfr=1:fps=50/1", **B_FRAMES}
    bare = make_video("bare.h264", gray_ramp(20), fps=50, container="h264", options=timing)
    video = open_video(bare)
    assert [f.time for f in video.frames()] == every(0.02, 20) and video.duration == 0.4
    assert times(bare, fps=10) == every(0.1, 20)
    assert times(bare.read_bytes(), fps=10) == every(0.1, 20)
    assert [f.time for f in open_video(bare, fps=10).sample(5)] == every(0.2, 10)
    with pytest.raises(VideoError, match="times of its own"):
        open_video(make_video("clock.mp4", gray_ramp(2)), fps=10)


def test_pictures_one_after_another_are_a_video(tmp_path) -> None:
    from PIL import Image

    def jpeg(side: int, level: int, kind: str = "JPEG") -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (side, side), (level, level, level)).save(file, kind)
        return file.getvalue()

    for name, kind in (("a.mjpeg", "JPEG"), ("a.jpg", "JPEG"), ("a.png", "PNG")):
        pictures = b"".join(jpeg(48, 10 * i, kind) for i in range(20))
        (tmp_path / name).write_bytes(pictures)
        for source in (tmp_path / name, pictures, io.BytesIO(pictures)):
            frames = list(open_video(source, fps=10).frames())
            assert [f.time for f in frames] == every(0.1, 20)
            assert [f.rgb.mean() for f in frames] == pytest.approx(
                [10 * i for i in range(20)], abs=2
            )
    picked = open_video(tmp_path / "a.mjpeg", fps=10).pick([19, 3])
    assert [(f.time, round(f.rgb.mean())) for f in picked] == [(1.9, 190), (0.3, 30)]
    # A camera's picture with a preview behind it, or with whatever else, is one picture.
    for tail in (b"", jpeg(16, 0), b"\0" * 9 + jpeg(16, 0), b"\xff\xd8\xff", b"junk" + jpeg(48, 0)):
        assert len(times(jpeg(48, 99) + tail)) == 1


def test_the_default_image_of_an_animation_is_no_frame(tmp_path) -> None:
    from PIL import Image

    red, *grays = [Image.new("RGB", (8, 8), c) for c in ("#f00", "#111", "#222", "#333")]
    for default, expected in ((True, grays), (False, [red, *grays])):
        red.save(
            tmp_path / "a.png",
            save_all=True,
            append_images=grays,
            duration=[300, 4000, 100, 100][default:],
            default_image=default,
        )
        frames = list(open_video(tmp_path / "a.png").frames())
        assert [f.rgb[0, 0].tolist() for f in frames] == [
            list(p.getpixel((0, 0))) for p in expected
        ]
        assert [f.time for f in frames] == ([0, 4, 4.1] if default else [0, 0.3, 4.3, 4.4])
