"""Small clips in every codec and container that PyAV writes, made by code."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from builders import write_video

# Container, codec, pixel format.
KINDS = (
    ("mp4", "libx264", "yuv420p"),
    ("mp4", "libx265", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mp4", "libsvtav1", "yuv420p"),
    ("mov", "prores", "yuv422p10le"),
    ("mov", "mjpeg", "yuvj420p"),
    ("mkv", "libx264", "yuv420p"),
    ("mkv", "ffv1", "yuv420p"),
    ("webm", "libvpx", "yuv420p"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("avi", "mpeg4", "yuv420p"),
    ("avi", "huffyuv", "yuv422p"),
    ("ts", "libx264", "yuv420p"),
    ("ts", "mpeg2video", "yuv420p"),
    ("flv", "flv", "yuv420p"),
    ("wmv", "wmv2", "yuv420p"),
    ("gif", "gif", "rgb8"),
)
FORMATS = {"mkv": "matroska", "ts": "mpegts", "wmv": "asf"}
CLIP_SIZE = (64, 64)


@dataclass(frozen=True)
class Clip:
    """A file: what it is called, how it ends, what is in it."""

    name: str
    suffix: str
    data: bytes


def pictures(n: int, width: int, height: int) -> np.ndarray:
    """Frames (n, height, width, 3) in which something moves, so that there is much to damage."""
    x, y, at = np.arange(width)[None, :], np.arange(height)[:, None], np.arange(n)[:, None, None]
    wave = 128 + 60 * np.sin(x / 5 + at / 3)[..., :] + 60 * np.cos((y + at) / 7)
    noise = np.random.default_rng(0).integers(0, 20, (n, height, width))
    gray = np.clip(wave + noise, 0, 255).astype(np.uint8)
    return np.stack([gray, gray[:, ::-1], 255 - gray], axis=-1)


def encode(
    suffix: str,
    codec: str,
    pix_fmt: str,
    *,
    n: int = 12,
    size: tuple[int, int] = CLIP_SIZE,
    ticks: list[int] | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode pictures; `ticks` are time stamps in hundredths of a second."""
    # SVT-AV1 gives the thread that calls it real-time priority, where it may (as root). Processes
    # started from there would inherit it and starve the machine, OpenBLAS's threads first.
    with ThreadPoolExecutor(1) as own_thread:
        return own_thread.submit(_encode, suffix, codec, pix_fmt, n, size, ticks, options).result()


def _encode(
    suffix: str,
    codec: str,
    pix_fmt: str,
    n: int,
    size: tuple[int, int],
    ticks: list[int] | None,
    options: dict[str, str] | None,
) -> bytes:
    out = io.BytesIO()
    write_video(
        out,
        pictures(n, *size),
        codec=codec,
        pix_fmt=pix_fmt,
        ticks=ticks,
        time_base=Fraction(1, 100),
        container=FORMATS.get(suffix, suffix),
        container_options=options,
    )
    return out.getvalue()


def sound(suffix: str = "mp4", codec: str = "aac") -> bytes:
    """A file without pictures."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=FORMATS.get(suffix, suffix)) as file:
        stream = file.add_stream(codec, rate=16000)
        tone = np.sin(np.arange(16000) / 20).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


def picture(kind: str, size: tuple[int, int] = CLIP_SIZE) -> bytes:
    """A still picture in a format of Pillow's."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pictures(1, *size)[0]).save(out, kind)
    return out.getvalue()


@cache
def whole_clips() -> tuple[Clip, ...]:
    """One file of each kind, all of them good."""
    return tuple(
        Clip(f"{codec}.{suffix}", suffix, encode(suffix, codec, pix_fmt))
        for suffix, codec, pix_fmt in KINDS
    )
