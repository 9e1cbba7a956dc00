"""Files of some kilobytes that claim far more: pixels, frames, time."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from builders import write_video

from .codec_clips import Clip, encode
from .mutations import gif_claim


def claims() -> Iterator[Clip]:
    """Yield them; each is quick to make."""

    def made(name: str, data: bytes) -> Clip:
        return Clip(name, name.rpartition(".")[2], data)

    gif = encode("gif", "gif", "rgb8")
    yield made("canvas-8k.gif", gif_claim(gif, 8192, 8192))
    yield made("canvas-4k.gif", gif_claim(gif, 4096, 4096))
    yield made("canvas-wide.gif", gif_claim(gif, 65535, 1000))
    yield made("canvas-16k.webp", webp_claim(16383, 16383))
    yield made("canvas-6k.webp", webp_claim(6000, 5800))
    yield made("frames.png", apng_claim(2**31 - 1, 2000, 2000))
    yield made("squeezed.mp4", squeezed(4096, 2176, Fraction(4)))
    yield made("squeezed.mkv", squeezed(8192, 64, Fraction(4), "matroska"))
    yield made("png-8k.mp4", png_video(8192, 8192, 12))
    yield made("png-8k-wide.mov", png_video(8192, 4320, 12))
    yield made("rgb4.nut", encode("nut", "rawvideo", "rgb4"))
    yield made("late.mp4", edited(-1, 2**31 - 1))
    yield made("stretched.mp4", stretched(3599))
    yield made("still.mkv", encode("mkv", "ffv1", "yuv420p", n=3, ticks=[0, 355_000, 700_000]))


def webp_claim(width: int, height: int) -> bytes:
    """An animated WebP whose canvas is large, and nothing on it."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + canvas
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    picture = _small_webp()
    for _ in range(12):
        frame = bytes(6) + (15).to_bytes(3, "little") * 2 + (100).to_bytes(3, "little") + b"\0"
        body += b"ANMF" + struct.pack("<I", len(frame) + len(picture)) + frame + picture
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _small_webp() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, "WEBP", lossless=True)
    return out.getvalue()[12:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """A whole PNG of one color, hard-packed."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


def apng_claim(n: int, width: int, height: int) -> bytes:
    """A PNG that says that it is an animation of `n` pictures."""
    data = png(width, height)
    control = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0)
    chunks = _chunk(b"acTL", struct.pack(">II", n, 0)) + _chunk(b"fcTL", control)
    return data[:33] + chunks + data[33:]


def squeezed(width: int, height: int, aspect: Fraction, container: str = "mp4") -> bytes:
    """Two frames whose pixels are to be shown wider than high."""
    out = io.BytesIO()
    frames = np.zeros((2, height, width), np.uint8)
    options = {"preset": "ultrafast"}
    return write_video(
        out, frames, codec="libx264", options=options, container=container, pixel_aspect=aspect
    ).getvalue()


def png_video(width: int, height: int, n: int) -> bytes:
    """A video of one PNG, over and over."""
    import av

    data, out = png(width, height), io.BytesIO()
    with av.open(out, "w", format="mov") as file:
        stream = file.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24"
        for i in range(n):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = i
            packet.is_keyframe = True
            file.mux(packet)
    return out.getvalue()


def edited(media_time: int, duration: int) -> bytes:
    """An mp4 whose edit list claims something about time."""
    data = bytearray(encode("mp4", "libx264", "yuv420p", n=12))
    at = data.index(b"elst") + 12
    data[at : at + 8] = struct.pack(">Ii", duration, media_time)
    return bytes(data)


def stretched(seconds: int) -> bytes:
    """An mp4 each of whose frames is shown for so long."""
    data = bytearray(encode("mp4", "mpeg4", "yuv420p", n=12))
    scale = struct.unpack(">I", data[(at := data.index(b"mdhd") + 16) : at + 4])[0]
    at = data.index(b"stts") + 8
    data[at : at + 12] = struct.pack(">III", 1, 12, min(seconds * scale, 2**31 - 1))
    return bytes(data)
