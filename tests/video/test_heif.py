"""Still pictures in HEIF, put together by hand: Pillow writes none with tiles."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from builders import write_video
from colors import PQ, pq
from PIL import Image, features

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video
from emoclip_sdk.video.orientation import EXIF_MATRICES, upright

SIDE = 64
WIDTH, HEIGHT = 100, 120  # of 2 x 2 tiles, which are cut at the right and below


def box(kind: str, *parts: bytes, version: int | None = None) -> bytes:
    content = b"".join(parts)
    if version is not None:
        content = struct.pack(">I", version << 24) + content
    return struct.pack(">I4s", 8 + len(content), kind.encode()) + content


def coded(rgb: np.ndarray) -> tuple[bytes, bytes]:
    """Return the box "hvcC" and the sample of one HEVC picture."""
    file = write_video(
        io.BytesIO(), [rgb], codec="libx265", container="mp4",
        # Without B-frames: x265 gives the only picture of a video a time stamp by chance.
        options={"x265-params": "log-level=none:qp=4:bframes=0"},
    )  # fmt: skip
    data = file.getvalue()
    at = data.index(b"hvcC") - 4
    (size,) = struct.unpack_from(">I", data, at)
    with av.open(io.BytesIO(data)) as container:
        sample = bytes(next(container.demux(video=0)))
    return data[at : at + size], sample


def heic(rgb: np.ndarray, *transforms: bytes, kind: str = "grid") -> bytes:
    """Return a picture of WIDTH x HEIGHT as a grid of four tiles."""
    padded = np.pad(rgb, ((0, 2 * SIDE - HEIGHT), (0, 2 * SIDE - WIDTH), (0, 0)), mode="edge")
    tiles = [coded(padded[y : y + SIDE, x : x + SIDE]) for y in (0, SIDE) for x in (0, SIDE)]
    grid = struct.pack(">BBBBHH", 0, 0, 1, 1, WIDTH, HEIGHT)
    properties = [tiles[0][0], box("ispe", struct.pack(">II", SIDE, SIDE), version=0), *transforms]
    links = b"".join(struct.pack(">HBBB", item, 2, 0x81, 2) for item in (1, 2, 3, 4))
    own = bytes(0x80 | (3 + i) for i in range(len(transforms)))
    links += struct.pack(">HB", 5, len(own)) + own

    def meta(begin: int) -> bytes:
        places, at = b"", begin
        for item, (_, sample) in enumerate(tiles, 1):
            places += struct.pack(">HHHHII", item, 0, 0, 1, at, len(sample))
            at += len(sample)
        places += struct.pack(">HHHHII", 5, 1, 0, 1, 0, len(grid))
        entries = b"".join(
            box("infe", struct.pack(">HH4sB", item, 0, name.encode(), 0), version=2)
            for item, name in zip((1, 2, 3, 4, 5), ["hvc1"] * 4 + [kind], strict=True)
        )
        return box(
            "meta",
            box("hdlr", struct.pack(">I4s12sB", 0, b"pict", b"", 0), version=0),
            box("pitm", struct.pack(">H", 5), version=0),
            box("iloc", struct.pack(">BBH", 0x44, 0, 5), places, version=1),
            box("iinf", struct.pack(">H", 5), entries, version=0),
            box("iref", box("dimg", struct.pack(">6H", 5, 4, 1, 2, 3, 4)), version=0),
            box(
                "iprp",
                box("ipco", *properties),
                box("ipma", struct.pack(">I", 5), links, version=0),
            ),
            box("idat", grid),
            version=0,
        )

    head = box("ftyp", b"heic", bytes(4), b"mif1heic")
    begin = len(head) + len(meta(0)) + 8
    return head + meta(begin) + box("mdat", *(sample for _, sample in tiles))


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([40 + 2 * x, 40 + 1.5 * y, 200 - x], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def tiled(rgb) -> bytes:
    return heic(rgb)


def test_tiles_become_one_picture(rgb, tiled, tmp_path) -> None:
    (tmp_path / "a.heic").write_bytes(tiled)
    for source in (tmp_path / "a.heic", tiled, io.BytesIO(tiled)):
        video = open_video(source)
        (frame,) = video.frames()
        assert frame.rgb.shape == rgb.shape
        assert np.abs(frame.rgb.astype(int) - rgb).mean() < 2
    assert video.duration == 0


def test_turned_and_mirrored_in_the_order_of_the_file(rgb) -> None:
    turn, mirror = box("irot", b"\x01"), box("imir", b"\x01")  # anticlockwise; left to right
    (frame,) = open_video(heic(rgb, turn, mirror)).frames()
    expected = upright(upright(rgb, EXIF_MATRICES[8]), EXIF_MATRICES[2])
    np.testing.assert_array_equal(expected, np.rot90(rgb)[:, ::-1])
    assert np.abs(frame.rgb.astype(int) - expected).mean() < 2


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_as_libavif_reads_it(rgb) -> None:
    """AV1 in HEIF, under the brand that all HEIF may have, in the eight orientations."""
    for tag in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = tag
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "AVIF", quality=95, exif=exif)
        avif = file.getvalue()
        (expected,) = open_video(avif).frames()
        (frame,) = open_video(avif.replace(b"ftypavif", b"ftypmif1", 1)).frames()
        assert frame.rgb.shape == expected.rgb.shape
        assert np.abs(frame.rgb.astype(int) - expected.rgb).mean() < 2, tag


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_high_dynamic_range_in_avif(rgb) -> None:
    """Light of BT.709's primaries with white at 203 cd/m2, as PQ."""
    signal = pq(203 * (rgb / 255) ** 2.4)
    file = io.BytesIO()
    picture = Image.fromarray(np.rint(255 * signal).astype(np.uint8))
    picture.save(file, "AVIF", quality=98, subsampling="4:4:4")
    at = file.getvalue().index(b"nclx")
    avif = bytearray(file.getvalue())
    avif[at + 4 : at + 8] = struct.pack(">HH", 1, PQ)
    for source in (bytes(avif), io.BytesIO(avif)):
        (frame,) = open_video(source).frames()
        assert np.abs(frame.rgb.astype(int) - rgb).mean() < 3


def test_what_is_not_read_is_refused_by_name(rgb, tiled) -> None:
    with pytest.raises(VideoError, match='HEIF picture of the kind "iovl"'):
        open_video(heic(rgb, kind="iovl"))
    with pytest.raises(VideoError, match="tiles of this HEIF picture|can't be decoded"):
        list(open_video(tiled[: len(tiled) - len(tiled) // 4]).frames())
    # 256 x 256 tiles, of which four are there; the picture as such is not too large.
    many = tiled.replace(struct.pack(">BBBB", 0, 0, 1, 1), struct.pack(">BBBB", 0, 0, 255, 255), 1)
    with pytest.raises(VideoError, match="too large, or damaged"):
        open_video(many)
    for smaller in (struct.pack(">HH", 40, HEIGHT), struct.pack(">HH", WIDTH, 300)):
        bad = tiled.replace(struct.pack(">HH", WIDTH, HEIGHT), smaller, 1)
        with pytest.raises(VideoError, match="don't fit its size"):
            list(open_video(bad).frames())
    for size in (20, 40, 100, 300):
        with pytest.raises(VideoError, match="damaged HEIF"):
            open_video(tiled[:size])
