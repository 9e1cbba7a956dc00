"""Videos to measure on, made from the example's portrait: a face that moves, in 720p H.264."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ...assets import asset

__all__ = ["interview", "moving_face", "portrait"]

FPS = 25


def portrait() -> Path:
    """Return the example clip."""
    return asset("portrait.mp4")


def moving_face(
    path: Path, seconds: int = 10, width: int = 1280, height: int = 720, fps: int = FPS
) -> Path:
    """Write the example clip into a larger picture in which it drifts, for `seconds`."""
    with av.open(str(portrait())) as source:
        faces = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    side = faces[0].shape[:2]
    noise = np.random.default_rng(0).integers(0, 60, (height // 8, width // 8, 3), dtype=np.uint8)
    scene = np.kron(noise, np.ones((8, 8, 1), np.uint8))[:height, :width]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=fps, options={"preset": "fast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(seconds * fps):
            picture = scene.copy()
            x = int((width - side[1]) * (0.5 + 0.2 * np.sin(i / 40)))
            y = int((height - side[0]) * (0.5 + 0.2 * np.cos(i / 55)))
            picture[y : y + side[0], x : x + side[1]] = faces[i % len(faces)]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def interview(path: Path, clip: Path, minutes: int) -> Path:
    """Repeat a clip until it lasts `minutes`, without encoding it again."""
    with av.open(str(path), "w") as file, av.open(str(clip)) as first:
        source = first.streams.video[0]
        stream = file.add_stream_from_template(source)
        base = source.time_base or Fraction(1, FPS)
        length = round(float(first.duration or 0) / 1e6 / base)
        for k in range(minutes * 60 * 1_000_000 // (first.duration or 1)):
            with av.open(str(clip)) as again:
                for packet in again.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += k * length
                    packet.dts += k * length
                    packet.stream = stream
                    file.mux(packet)
    return path
