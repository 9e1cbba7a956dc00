"""Interlaced videos, made of pictures that are known."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from emoclip_sdk.video import open_video

SIDE, N = 96, 8


def moving(field: int) -> np.ndarray:
    """A soft bright disk that moves by 3 pixels from field to field."""
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - SIDE / 2, x - 20 - 3 * field)
    gray = 40 + 180 / (1 + np.exp((distance - 15) / 1.5))
    return np.repeat(gray[..., None], 3, axis=2).astype(np.uint8)


def write_interlaced(path, codec, top_first, **settings):
    """Weave two moments into each frame, the first one in the upper or lower lines."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=settings)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=SIDE, height=SIDE, format="yuv420p", time_base=Fraction(1, 25)
        )
        mark = graph.add("setfield", "tff" if top_first else "bff")
        graph.link_nodes(source, mark, graph.add("buffersink")).configure()
        for i in range(N):
            woven = moving(2 * i + 1 if top_first else 2 * i)
            woven[::2] = moving(2 * i if top_first else 2 * i + 1)[::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            source.push(frame)
            out.mux(stream.encode(graph.pull()))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "settings"),
    [
        ("a.mpg", "mpeg2video", {"flags": "+ildct+ilme", "b": "4M", "bf": "2"}),
        ("a.mp4", "libx264", {"flags": "+ildct", "crf": "12"}),
    ],
)
@pytest.mark.parametrize("top_first", [True, False])
def test_a_frame_shows_its_first_field_whole(tmp_path, name, codec, settings, top_first) -> None:
    path = write_interlaced(tmp_path / name, codec, top_first, **settings)
    video = open_video(path)
    frames = list(video.frames())
    assert [frame.index for frame in frames] == list(range(N))
    for i, frame in enumerate(frames):
        error = np.abs(frame.rgb.astype(int) - moving(2 * i)).mean()
        assert error < 1.6, "woven, it is more than 3"
    # Frames by number and by time are the same pictures.
    np.testing.assert_array_equal(video.pick([5])[0].rgb, frames[5].rgb)
    np.testing.assert_array_equal(list(video.sample(12.5))[2].rgb, frames[4].rgb)


def test_one_frame_alone(tmp_path) -> None:
    path = write_interlaced(tmp_path / "a.mkv", "ffv1", True)
    frame = next(iter(open_video(path).sample(0.5)))
    assert np.abs(frame.rgb.astype(int) - moving(0)).mean() < 3


def test_a_frame_too_small_to_be_deinterlaced_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.SIDE", 4)
    path = write_interlaced(tmp_path / "a.mkv", "ffv1", True)
    assert [frame.rgb.shape for frame in open_video(path).frames()] == [(4, 4, 3)] * N
