"""Annotated videos: boxes and the strip are there, and sound, times and orientation are kept."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from builders import write_changing
from colors import LIMITED, codes

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.export.annotate import write_video
from emoclip_sdk.video import open_video

LABELS = ["neutral", "happiness", "anger"]


RATE = 44100


def write_clip(path, frames, times, sound="aac", delay=0.0):
    """Write frames at `times` (seconds), with a tone that begins `delay` seconds later."""
    import av

    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", 10, options={"bf": "2"})
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = out.add_stream(sound, rate=RATE, layout="mono") if sound else None
        for rgb, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        if audio is not None:
            tone = np.sin(np.arange(int(RATE * (times[-1] - delay))) / 20)
            frame = av.AudioFrame.from_ndarray((tone * 9999).astype(np.int16)[None], "s16", "mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = int(delay * RATE)
            out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def packets(path, kind):
    import av

    with av.open(str(path)) as file:
        stream = file.streams.best(kind)
        complete = [p for p in file.demux(stream) if p.dts is not None]
        return (
            stream.codec_context.name,
            [bytes(p) for p in complete],
            [float(p.pts * p.time_base) for p in complete],
        )


def pictures(path):
    import av

    with av.open(str(path)) as file:
        return [(float(f.time), f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]


@pytest.fixture
def uneven():
    """Times of 60 frames of which some are shown three times as long as others."""
    return np.cumsum([0.0, *([0.06, 0.18, 0.06] * 20)[:59]]).round(3)


def test_sound_is_copied_and_times_are_kept(detecting_model, two_faces, uneven, tmp_path):
    source = write_clip(tmp_path / "in.mp4", two_faces, uneven, delay=0.7)
    out = tmp_path / "out.mp4"
    detecting_model.timeline(source, LABELS, step=0.5).annotate(source, out)
    codec, before, heard_before = packets(source, "audio")
    assert (codec, before) == packets(out, "audio")[:2]
    np.testing.assert_allclose(packets(out, "audio")[2], heard_before, atol=2e-3)
    np.testing.assert_allclose([t for t, _ in pictures(out)], uneven, atol=2e-3)
    assert not list(tmp_path.glob("*.part"))


def test_sound_that_a_container_cannot_hold_is_encoded_anew(
    detecting_model, two_faces, uneven, tmp_path
):
    source = write_clip(tmp_path / "in.mov", two_faces, uneven, sound="pcm_s16le", delay=0.5)
    out = tmp_path / "out.webm"
    detecting_model.timeline(source, LABELS, step=1).annotate(source, out)
    codec, _, times = packets(out, "audio")
    assert "opus" in codec and times[0] == pytest.approx(0.5, abs=0.1)
    assert times[-1] == pytest.approx(uneven[-1], abs=0.2)
    assert len(pictures(out)) == 60


def test_sound_that_begins_before_the_pictures_is_kept(
    detecting_model, two_faces, uneven, tmp_path
):
    source = write_clip(tmp_path / "in.mkv", two_faces, uneven + 1)
    out = tmp_path / "out.mp4"
    detecting_model.timeline(source, LABELS, step=1).annotate(source, out)
    assert packets(source, "audio")[1] == packets(out, "audio")[1]
    np.testing.assert_allclose([t for t, _ in pictures(out)], uneven + 1, atol=2e-3)


def test_boxes_while_faces_are_there_and_a_strip_below(detecting_model, two_faces, tmp_path):
    timeline = detecting_model.timeline(two_faces, LABELS, step=0.5, min_score=0, fps=10)
    timeline.annotate(two_faces, tmp_path / "out.mkv", fps=10)
    seen = pictures(tmp_path / "out.mkv")
    assert len(seen) == 60
    height, width = seen[0][1].shape[:2]
    assert width == 128 * 4 and height > 72 * 4 and height % 2 == 0, "enlarged, with a strip"
    colored = [count_colored(rgb[: 72 * 4]) for _, rgb in seen]
    assert min(colored[:28]) > 500 and max(colored[35:]) < 100, "no box once the faces are gone"
    assert seen[0][1][72 * 4 + 8 :].mean() < 150


def count_colored(rgb):
    """Count pixels that are far from gray noise: those of a palette's colors."""
    spread = rgb.max(axis=-1).astype(int) - rgb.min(axis=-1)
    return int((spread > 130).sum())


def test_rotation_is_applied(detecting_model, two_faces, uneven, tmp_path):
    source = write_clip(tmp_path / "in.mp4", two_faces, uneven, sound=None)
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 0x10000
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    source.write_bytes(data)
    detecting_model.timeline(source, LABELS).annotate(source, tmp_path / "out.mp4")
    _, rgb = pictures(tmp_path / "out.mp4")[0]
    assert rgb.shape[1] == 72 * 6 and rgb.shape[0] > 128 * 6


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_the_file_says_how_its_colors_are_coded(tmp_path, suffix):
    red = np.full((64, 64, 3), (200, 40, 60), np.uint8)

    class Plain:
        size = (64, 64)

        def draw(self, rgb, time):
            return rgb

    path = tmp_path / f"a.{suffix}"
    write_video(open_video([red] * 3), path, lambda size: Plain())
    with av.open(str(path)) as file:
        decoded = next(file.decode(video=0))
    assert (decoded.colorspace, decoded.color_range) in ((5, 1), (6, 1))
    y, cb, cr = (np.frombuffer(plane, np.uint8)[0] for plane in decoded.planes)
    expected = codes(red[:1, :1] / 255, 6, LIMITED, 8)[:, 0, 0]
    assert np.abs(np.array([y, cb, cr], int) - expected).max() <= 3


def test_a_picture_that_changes_its_size_is_fitted_in(detecting_model, two_faces, tmp_path):
    wide, tall = two_faces[:10], two_faces[30:40].transpose(0, 2, 1, 3)
    source = write_changing(tmp_path / "in.ts", [wide, tall])
    assert [f.rgb.shape[:2] for f in open_video(source).frames()][::19] == [(72, 128), (128, 72)]
    detecting_model.timeline(source, LABELS).annotate(source, tmp_path / "out.mkv")
    seen = [rgb[: 72 * 4, : 128 * 4] for _, rgb in pictures(tmp_path / "out.mkv")]
    assert len(seen) == 20
    # 128 rows become 288, so the columns become 162: they stand in the middle, and around them is
    # the dark ground.
    assert seen[-1][:, :170].mean() < 40 and seen[-1][:, -170:].mean() < 40
    assert abs(seen[-1][:, 176:336].mean() - tall[-1].mean()) < 5


def test_refused(tiny_model, crop_video, tmp_path):
    timeline = tiny_model.timeline(crop_video, LABELS, faces="none")
    with pytest.raises(EmoCLIPError, match=r"ends in \.mp4"):
        timeline.annotate(crop_video, tmp_path / "out.gif")
    with pytest.raises(EmoCLIPError, match="overwritten"):
        timeline.annotate(crop_video, crop_video)
    with pytest.raises(EmoCLIPError, match="can't be written"):
        timeline.annotate(crop_video, tmp_path / "no" / "out.mp4")
    with crop_video.open("rb") as file, pytest.raises(EmoCLIPError, match="path or bytes"):
        timeline.annotate(file, tmp_path / "out.mp4")


def test_of_a_part_only_that_is_written_with_its_sound(tiny_model, tmp_path):
    frames = np.zeros((40, 48, 64, 3), np.uint8)
    frames[20:30] = 200  # from 2 s to 3 s
    path = write_clip(tmp_path / "clip.mp4", frames, [i / 10 for i in range(40)])
    timeline = tiny_model.timeline(path, LABELS, faces="none", step=0.5, start=1.5, end=3.5)
    out = tmp_path / "out.mp4"
    timeline.annotate(path, out, start=1.5, end=3.5)
    written = list(open_video(out).frames())
    assert [frame.time for frame in written] == pytest.approx([i / 10 for i in range(20)], abs=1e-3)
    bright = [frame.rgb[4:12, -12:].mean() > 100 for frame in written]
    assert bright == [False] * 5 + [True] * 10 + [False] * 5
    _, before, times = packets(path, "audio")
    _, after, copied = packets(out, "audio")
    inside = [p for p, t in zip(before, times, strict=True) if 1.5 <= t < 3.5]
    assert after == inside
    assert 0 <= copied[0] < 0.03
    with pytest.raises(EmoCLIPError, match="must be after start"):
        timeline.annotate(path, out, start=3.5, end=1.5)
