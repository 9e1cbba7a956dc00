"""Files that tests of several rooms need: videos and a small FER+."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_PIXELS = {1: "gray", 3: "rgb24", 4: "rgba"}  # by channels


def write_video(
    file: Path | BinaryIO,
    frames: Iterable[np.ndarray],
    fps: int = 25,
    *,
    codec: str = "mpeg4",
    pix_fmt: str = "yuv420p",
    ticks: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 600),
    container: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_aspect: Fraction | None = None,
) -> Any:
    """Write a video of frames (H, W), (H, W, 3) or (H, W, 4), uint8, and return `file`.

    Parameters
    ----------
    file : Path or binary file object
        The folder of a path is made.
    frames : iterable of ndarray
        One at least; they may be a generator.
    fps : int
        Frames per second, where there are no `ticks`.
    codec, pix_fmt, options
        Of FFmpeg's encoder.
    ticks : sequence of int, optional
        Time of each frame in units of `time_base`.
    container, container_options
        Of FFmpeg's muxer; by default what the ending of the path says.
    pixel_aspect : Fraction, optional
        Width over height of a pixel.
    """
    import av

    if isinstance(file, Path):
        file.parent.mkdir(parents=True, exist_ok=True)
    target = str(file) if isinstance(file, Path) else file
    pictures = iter(frames)
    first = next(pictures)
    source = _PIXELS[1 if first.ndim == 2 else first.shape[2]]
    with av.open(target, "w", format=container, options=container_options or {}) as out:
        stream: Any = out.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = pix_fmt
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if ticks is not None:
            stream.codec_context.time_base = time_base
        for i, picture in enumerate(itertools.chain([first], pictures)):
            frame = av.VideoFrame.from_ndarray(picture, format=source).reformat(format=pix_fmt)
            if ticks is not None:
                frame.pts, frame.time_base = ticks[i], time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return file


def write_ferplus(
    path: Path,
    votes: Any,
    *,
    split: Sequence[str],
    images: np.ndarray | None = None,
    duplicate: Sequence[bool] | None = None,
    names: Sequence[str] | None = None,
) -> Path:
    """Write a file as :func:`~emoclip_sdk.training.data.ferplus.load_ferplus` reads it.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``.
    votes : array-like of int, (N, 10)
        Of the eight classes, "unknown" and "not a face".
    split : sequence of str
        "train", "valid" or "test" for each picture.
    images : ndarray, (N, 48, 48), uint8, optional
        By default each is filled with its number.
    duplicate : sequence of bool, optional
        By default none is.
    names : sequence of str, optional
        File names of the pictures; by default there is no such column.
    """
    from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES

    n = len(votes)
    if images is None:
        images = np.arange(n, dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2)
    np.savez(
        path,
        images=images,
        votes=np.asarray(votes, np.uint8),
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array(split),
        duplicate=np.zeros(n, bool) if duplicate is None else np.array(duplicate),
        **({} if names is None else {"name": np.array(names)}),
    )
    return path
