"""Files such as strangers send them: whole clips, damaged and lied about in every way we know."""

from __future__ import annotations

import io
import itertools
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from .codec_clips import Clip, encode, picture, sound, whole_clips

Random = np.random.Generator


def damaged(count: int, seed: int = 0) -> Iterator[Clip]:
    """Yield `count` clips, damaged at random: all kinds of clips and of damage in turn."""
    rng = np.random.default_rng(seed)
    pairs = list(itertools.product(whole_clips(), DAMAGES))
    for i in range(count):
        clip, damage = pairs[(i * 37) % len(pairs)]
        data, suffix = damage(clip, rng)
        yield Clip(f"{damage.__name__}-{i}-{clip.name}", suffix, data)


def flipped(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Turn single bits."""
    data = bytearray(clip.data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 40))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data), clip.suffix


def flipped_head(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Turn bits where sizes and counts are."""
    data = bytearray(clip.data)
    for at in rng.integers(0, min(len(data), 600), int(rng.integers(1, 12))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data), clip.suffix


def flipped_tail(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Turn bits where an mp4 and an avi have their index."""
    data = bytearray(clip.data)
    for at in rng.integers(max(len(data) - 900, 0), len(data), int(rng.integers(1, 12))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data), clip.suffix


def cut(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Cut off, in the header, in the data or just before the end."""
    n = len(clip.data)
    at = int(rng.choice([rng.integers(1, 64), rng.integers(1, n), max(1, n - rng.integers(1, 64))]))
    return clip.data[:at], clip.suffix


def headless(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Without the beginning."""
    return clip.data[int(rng.integers(1, len(clip.data) // 2)) :], clip.suffix


def holed(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Zeros or noise in the middle."""
    data = bytearray(clip.data)
    start = int(rng.integers(0, len(data)))
    length = min(int(rng.integers(8, 2000)), len(data) - start)
    data[start : start + length] = bytes(length) if rng.random() < 0.5 else rng.bytes(length)
    return bytes(data), clip.suffix


def shifted(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """A few bytes lost or put in, so that all that follows is at the wrong place."""
    at, n = int(rng.integers(4, len(clip.data))), int(rng.integers(1, 20))
    if rng.random() < 0.5:
        return clip.data[:at] + clip.data[at + n :], clip.suffix
    return clip.data[:at] + rng.bytes(n) + clip.data[at:], clip.suffix


def spliced(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """The beginning of one file and the end of another."""
    others = whole_clips()
    other = others[int(rng.integers(len(others)))]
    at, end = int(rng.integers(8, len(clip.data))), int(rng.integers(0, len(other.data)))
    return clip.data[:at] + other.data[end:], clip.suffix


def renamed(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """Called something else, sometimes damaged as well."""
    suffix = str(rng.choice(["mp4", "avi", "mkv", "ts", "gif", "jpg", "png", "txt", "m3u8", "sdp"]))
    return (clip.data if rng.random() < 0.3 else flipped(clip, rng)[0]), suffix


def huge_fields(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """A size, count or time stamp of the container that claims the most it can."""
    data = bytearray(clip.data)
    names = rb"stsz|stts|stsc|stco|ctts|mvhd|tkhd|mdhd|stsd|avcC|hvcC|elst|mdat|moov|strh|strf|avih"
    places = [m.end() for m in re.finditer(names, bytes(data))]
    places = places or list(range(0, min(len(data) - 8, 400), 3))
    at = places[int(rng.integers(len(places)))] + int(rng.integers(-8, 24))
    at = min(max(at, 0), len(data) - 4)
    lie = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\0\xff\xff\xff"]
    data[at : at + 4] = lie[int(rng.integers(len(lie)))]
    return bytes(data), clip.suffix


def repeated(clip: Clip, rng: Random) -> tuple[bytes, str]:
    """A piece of the file many times over."""
    at = int(rng.integers(0, len(clip.data)))
    piece = clip.data[at : at + int(rng.integers(4, 400))]
    return clip.data[:at] + piece * int(rng.integers(2, 400)) + clip.data[at:], clip.suffix


DAMAGES: tuple[Callable[[Clip, Random], tuple[bytes, str]], ...] = (
    flipped,
    flipped_head,
    flipped_tail,
    cut,
    headless,
    holed,
    shifted,
    spliced,
    renamed,
    huge_fields,
    repeated,
)


def oddities() -> Iterator[Clip]:
    """Yield files that are strange on purpose."""

    def made(name: str, data: bytes) -> Clip:
        return Clip(name, name.rpartition(".")[2], data)

    yield made("empty.mp4", b"")
    yield made("one-byte.mp4", b"\0")
    yield made("zeros.mp4", bytes(5000))
    yield made("noise.mkv", np.random.default_rng(3).bytes(5000))
    yield made("text.mp4", b"Dear reader, this is no video.\n" * 50)
    yield made("text.txt", b"Dear reader, this is no video.\n" * 50)
    yield made("art.ans", b"\x1b[31mred\x1b[0m" * 100)
    yield made("page.html", b"<!DOCTYPE html><html><video src='a.mp4'></video></html>" * 20)
    yield made("document.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n" * 20)
    yield made("archive.zip", b"PK\3\4" + bytes(200))
    yield made("titles.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n\n" * 20)
    yield made("sound.mp4", sound())
    yield made("sound.mkv", sound("mkv"))
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"):
        data = picture(kind)
        yield made(f"picture.{kind.lower()}", data)
        yield made(f"picture-{kind}.mp4", data)
        yield made(f"half-{kind}.{kind.lower()}", data[: len(data) // 2])
    yield made("jpeg2000.mp4", picture("JPEG2000"))
    yield made("icon.mp4", picture("ICO"))
    yield made("bomb.png", png_claim(16000, 16000))
    yield made("bomb-wide.png", png_claim(200_000, 1))
    yield made("zero.png", png_claim(0, 0))
    yield made("many.gif", gif_of(3000))
    yield made("large-canvas.gif", gif_claim(encode("gif", "gif", "rgb8"), 65535, 65535))

    yield made("no-frames.mp4", without_frames())
    for suffix, codec, pix_fmt in (
        ("mp4", "libx264", "yuv420p"),
        ("mkv", "libx264", "yuv420p"),
        ("avi", "mpeg4", "yuv420p"),
        ("webm", "libvpx-vp9", "yuv420p"),
    ):
        yield made(f"one-frame.{suffix}", encode(suffix, codec, pix_fmt, n=1))
    yield made("tiny.mp4", encode("mp4", "mpeg4", "yuv420p", size=(2, 2)))
    yield made("sliver.mkv", encode("mkv", "ffv1", "yuv420p", size=(4096, 16), n=4))
    yield made("pillar.mkv", encode("mkv", "ffv1", "yuv420p", size=(32, 4096), n=4))
    yield made("wide.mkv", encode("mkv", "ffv1", "yuv420p", size=(16000, 16), n=4))
    yield made("16k-claim.mp4", mp4_size(encode("mp4", "mpeg4", "yuv420p"), 16000, 16000))
    yield made("0x0-claim.mp4", mp4_size(encode("mp4", "libx264", "yuv420p"), 0, 0))
    yield made("16k-claim.avi", avi_size(16000, 16000))
    yield made("0x0-claim.avi", avi_size(0, 0))

    jump = [0, 4, 8, 100, 360_000_0, 360_000_4, 360_000_8, 360_001_2, 360_001_6, 360_002_0]
    yield made("jump-10h.mkv", encode("mkv", "libx264", "yuv420p", n=10, ticks=jump))
    far = [0, 4, 8, 12, 2**40, 2**40 + 4]
    yield made("jump-300y.mkv", encode("mkv", "ffv1", "yuv420p", n=6, ticks=far))
    early = [-5000, -4996, -4992, 0, 4, 8]
    yield made("negative.mkv", encode("mkv", "ffv1", "yuv420p", n=6, ticks=early))
    yield made("10h-claim.mp4", mp4_duration(encode("mp4", "libx264", "yuv420p", n=2), 36_000))
    yield made("10y-claim.mp4", mp4_duration(encode("mp4", "libx264", "yuv420p", n=2), 2**32 - 1))
    small, big = (encode("ts", "mpeg2video", "yuv420p", size=(s, s)) for s in (64, 512))
    yield made("changing.ts", small + big + small)
    first, second = (encode("mkv", "libx264", "yuv420p", size=(s, 64)) for s in (64, 256))
    yield made("two.mkv", first + second)
    yield made("twice.mp4", encode("mp4", "libx264", "yuv420p") * 2)
    yield made("other-codec.mp4", encode("mp4", "mpeg4", "yuv420p").replace(b"mp4v", b"avc1"))
    yield made("unknown-codec.mp4", encode("mp4", "mpeg4", "yuv420p").replace(b"mp4v", b"zzzz"))
    yield made("unknown-codec.avi", encode("avi", "mpeg4", "yuv420p").replace(b"FMP4", b"ZZZZ"))
    yield made("nested.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + nested_boxes(20_000))
    yield made("years-per-frame.y4m", b"YUV4MPEG2 W16 H16 F1:100000000 C420\n" + y4m_frames(9))
    yield made("huge.y4m", b"YUV4MPEG2 W30000 H30000 F25:1 C420\nFRAME\n" + bytes(1000))


def large_files() -> Iterator[Clip]:
    """Yield files whose pictures really are large; they take a while to make."""

    def made(name: str, data: bytes) -> Clip:
        return Clip(name, name.rpartition(".")[2], data)

    yield made("large.jpg", flat_picture("JPEG", 15000, 15000))
    yield made("large.bmp", flat_picture("BMP", 9000, 9000))
    yield made("16k.mkv", flat_video(16000, 16000))
    yield made("8k.mkv", flat_video(7680, 4320, n=60))
    small = encode("ts", "mpeg2video", "yuv420p")
    yield made("changing-hugely.ts", small + encode("ts", "libx264", "yuv420p", size=(4096, 4096)))


def png_claim(width: int, height: int) -> bytes:
    """A PNG of under 1 kB that says that it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


def flat_picture(kind: str, width: int, height: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("L" if kind == "JPEG" else "RGB", (width, height)).save(out, kind)
    return out.getvalue()


def gif_of(n: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    frames = [Image.new("P", (8, 8), i % 2) for i in range(n)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20, optimize=False)
    return out.getvalue()


def gif_claim(data: bytes, width: int, height: int) -> bytes:
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def flat_video(width: int, height: int, n: int = 2) -> bytes:
    """Large frames of one color: motion JPEG."""
    import av

    jpeg = flat_picture("JPEG", width, height)
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        for i in range(n):
            packet = av.Packet(jpeg)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = i
            packet.is_keyframe = True
            file.mux(packet)
    return out.getvalue()


def without_frames() -> bytes:
    """An mp4 whose table of samples is empty."""
    data = bytearray(encode("mp4", "libx264", "yuv420p"))
    at = data.index(b"stsz") + 12
    data[at : at + 4] = bytes(4)
    return bytes(data)


def mp4_size(data: bytes, width: int, height: int) -> bytes:
    """Write another size into the description of the samples, and of the track."""
    changed = bytearray(data)
    at = changed.index(b"stsd") + 12 + 4 + 28
    changed[at : at + 4] = struct.pack(">HH", width, height)
    at = changed.index(b"tkhd") + 4 + 76
    changed[at : at + 8] = struct.pack(">II", width << 16, height << 16)
    return bytes(changed)


def mp4_duration(data: bytes, seconds: int) -> bytes:
    """Stretch the last sample, and claim so everywhere."""
    changed = bytearray(data)
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"stts", 16)):
        at = changed.index(name) + offset
        changed[at : at + 4] = struct.pack(">I", min(seconds * 1000, 2**32 - 1))
    return bytes(changed)


def avi_size(width: int, height: int) -> bytes:
    changed = bytearray(encode("avi", "huffyuv", "yuv422p"))
    at = changed.index(b"strf") + 12
    changed[at : at + 8] = struct.pack("<II", width, height)
    return bytes(changed)


def nested_boxes(depth: int) -> bytes:
    return b"".join(struct.pack(">I", 8 * (depth - i)) + b"moov" for i in range(depth))


def y4m_frames(n: int) -> bytes:
    return (b"FRAME\n" + bytes(384)) * n
