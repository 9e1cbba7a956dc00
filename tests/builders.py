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


def write_changing(
    path: Path,
    parts: Sequence[Sequence[np.ndarray]],
    fps: int = 10,
    aspects: Sequence[Any] | None = None,
    turns: Sequence[tuple[int, int, int]] | None = None,
) -> Path:
    """Write an MPEG transport stream of H.264 whose pictures change their size from part to part.

    Parameters
    ----------
    path : Path
    parts : sequence of sequences of ndarray (H, W, 3), uint8
        Of one size in each part.
    fps : int
        Frames per second.
    aspects : sequence of Fraction or int, optional
        Width over height of the pixels of each part.
    turns : sequence of (int, int, int), optional
        How each part is turned; see :func:`turned_packet`.
    """
    import av

    with av.open(str(path), "w", format="mpegts") as out:
        stream: Any = out.add_stream("libx264", rate=fps)
        stream.height, stream.width = parts[0][0].shape[:2]
        stream.pix_fmt = "yuv420p"
        number = 0
        aspects, turns = aspects or [1] * len(parts), turns or [(0, 0, 0)] * len(parts)
        for part, aspect, turn in zip(parts, aspects, turns, strict=True):
            # A coder of its own, whose parameters come before its first picture.
            coder: Any = av.CodecContext.create("libx264", "w")
            coder.height, coder.width = part[0].shape[:2]
            coder.pix_fmt, coder.time_base, coder.framerate = "yuv420p", Fraction(1, fps), fps
            coder.max_b_frames, coder.options = 0, {"crf": "10"}
            coder.sample_aspect_ratio = Fraction(aspect)
            for picture in [*part, None]:
                frame = None
                if picture is not None:
                    frame = av.VideoFrame.from_ndarray(picture).reformat(format="yuv420p")
                    frame.pts, frame.time_base, number = number, Fraction(1, fps), number + 1
                for packet in coder.encode(frame):
                    if packet.is_keyframe and any(turn):
                        packet = turned_packet(packet, *turn)
                    packet.stream, packet.time_base = stream, Fraction(1, fps)
                    out.mux(packet)
    return path


def turned_packet(packet: Any, across: int, down: int, degrees: int) -> Any:
    """Return a packet of H.264 with the message "display orientation" (D.1.27) before its picture.

    It is shown mirrored left to right (`across`), top to bottom (`down`), and then turned
    anticlockwise by `degrees`, until the next key frame.
    """
    import av

    # Not canceled, mirrored, turned; valid until the next message; no extension; the end.
    bits = f"0{across}{down}{degrees * 65536 // 360:016b}" + "010" + "0" + "1"
    message = bytes([6, 47, 3]) + int(bits, 2).to_bytes(3, "big") + b"\x80"
    data = bytes(packet)
    # Start codes, or the lengths of units in the place of them.
    annex_b = data.startswith((b"\0\0\0\1", b"\0\0\1"))
    prefix = b"\0\0\0\1" if annex_b else len(message).to_bytes(4, "big")
    changed = av.Packet(prefix + message + data)
    changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
    changed.duration, changed.is_keyframe = packet.duration, packet.is_keyframe
    if packet.stream is not None:
        changed.stream = packet.stream
    return changed


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
