"""Still pictures in HEIF (HEIC of phones), also those that are stored as a grid of tiles.

FFmpeg's demuxer hands out each tile as a stream of its own, so the plan of the whole picture is
read here from the boxes of ISO/IEC 23008-12.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from .color import HLG, PQ, frame_rgb
from .container import open_container
from .limits import MAX_PIXELS, error_text
from .orientation import EXIF_MATRICES, upright
from .source import FrameFilter, RawFrame, VideoSource

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["HeifSource", "is_heif"]

_LARGEST = 2**28  # bytes of a file
_CODED = ("hvc1", "av01", "avc1", "jpeg")
# irot counts quarter turns anticlockwise; imir 0 exchanges top and bottom, 1 left and right.
_TURNS = tuple(EXIF_MATRICES[tag] for tag in (1, 8, 3, 6))
_MIRRORS = tuple(EXIF_MATRICES[tag] for tag in (4, 2))


def is_heif(head: bytes, read: Callable[[], bytes]) -> bool:
    """Return whether a file is a still picture in HEIF that Pillow doesn't read, or not rightly.

    Parameters
    ----------
    head : bytes
        Its first 16 bytes.
    read : callable
        Returns its beginning. Pillow reads AVIF, but doesn't know of high dynamic range.
    """
    if head[4:8] != b"ftyp":
        return False
    if head[8:12] == b"avif":
        try:
            plan = _read_plan(read())
        except (struct.error, LookupError, ValueError, OSError):
            return False  # let Pillow say what is wrong
        return any(color[1] in (PQ, HLG) for color in _colors(plan, plan.primary))
    return head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1")


@dataclass
class _Plan:
    """What the box "meta" says.

    Attributes
    ----------
    primary : int
        The item that is the picture.
    kinds : dict
        Item to its type: "hvc1", "grid" ...
    places : dict
        Item to (construction method, offset, length) of its first extent.
    tiles : dict
        Item to those that it is made of.
    properties : dict
        Item to its properties (type, content), in order.
    data : bytes
        Of the box "idat".
    """

    primary: int = 0
    kinds: dict[int, str] = field(default_factory=dict)
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    tiles: dict[int, list[int]] = field(default_factory=dict)
    properties: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    data: bytes = b""


class HeifSource(VideoSource):
    """A HEIF picture: one frame.

    Parameters
    ----------
    media : str or bytes
        Path or content.
    name : str
        For results.
    where : str, optional
        For error messages, where it differs from `name`.

    Raises
    ------
    VideoError
        The file is damaged, or is of a kind that is not read (an overlay of pictures ...).
    """

    def __init__(self, media: str | bytes, name: str, *, where: str | None = None) -> None:
        self.name = name
        self.duration = 0.0
        self._where = where or name
        self._media = media
        try:
            if isinstance(media, str) and Path(media).stat().st_size > _LARGEST:
                raise VideoError(self._where, "is too large for a HEIF picture (256 MB are read)")
            content = Path(media).read_bytes() if isinstance(media, str) else media
            self._plan = _read_plan(content)
            self._columns, self._rows, self._size = self._layout(content)
        except OSError as error:
            raise VideoError(self._where, f"can't be read ({error.strerror})") from error
        except (struct.error, LookupError, ValueError) as error:
            raise VideoError(self._where, "is a damaged HEIF picture") from error

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the picture."""
        yield RawFrame(0, 0.0, None, self._picture)

    def _layout(self, content: bytes) -> tuple[int, int, tuple[int, int] | None]:
        """Return columns and rows of tiles, and width and height; None: as decoded."""
        plan = self._plan
        kind = plan.kinds[plan.primary]
        if kind in _CODED:
            return 1, 1, None
        if kind != "grid":
            raise VideoError(
                self._where,
                f'is a HEIF picture of the kind "{kind}", which isn\'t read. Save it as JPEG or '
                "PNG",
            )
        method, offset, length = plan.places[plan.primary]
        grid = (plan.data if method == 1 else content)[offset : offset + length]
        rows, columns = grid[2] + 1, grid[3] + 1
        width, height = struct.unpack_from(">II" if grid[1] & 1 else ">HH", grid, 4)
        if width * height > MAX_PIXELS or len(plan.tiles[plan.primary]) != rows * columns:
            raise VideoError(
                self._where, f"is too large, or damaged ({width} x {height}, HEIF with tiles)"
            )
        return columns, rows, (width, height)

    def _picture(self) -> NDArray[np.uint8]:
        plan = self._plan
        tiles = [plan.primary] if self._size is None else plan.tiles[plan.primary]
        pictures = self._decoded(set(tiles))
        if not set(tiles) <= pictures.keys():
            n = len(set(tiles) - pictures.keys())
            raise VideoError(
                self._where, f"{n} of the {len(tiles)} tiles of this HEIF picture can't be decoded"
            )
        first = pictures[tiles[0]]
        if self._size is None:
            rgb = first
        else:
            (height, width), (columns, rows) = first.shape[:2], (self._columns, self._rows)
            # As the standard has it, no row or column of tiles lies outside of the picture.
            fits = all(
                side * (n - 1) < whole <= side * n
                for side, n, whole in zip((width, height), (columns, rows), self._size, strict=True)
            )
            if not fits or any(pictures[tile].shape != first.shape for tile in tiles):
                raise VideoError(
                    self._where, "its tiles don't fit its size: a damaged HEIF picture"
                )
            rgb = np.empty((height * rows, width * columns, 3), np.uint8)
            for i, tile in enumerate(tiles):
                y, x = i // columns * height, i % columns * width
                rgb[y : y + height, x : x + width] = pictures[tile]
            rgb = rgb[: self._size[1], : self._size[0]]
        for kind, content in plan.properties.get(plan.primary, ()):
            if kind == "irot":
                rgb = upright(rgb, _TURNS[content[0] & 3])
            elif kind == "imir":
                rgb = upright(rgb, _MIRRORS[content[0] & 1])
        return np.ascontiguousarray(rgb)

    def _decoded(self, tiles: set[int]) -> dict[int, NDArray[np.uint8]]:
        import av

        pictures: dict[int, NDArray[np.uint8]] = {}
        pixels = 0
        with open_container(self._media, self._where) as container:
            streams = [stream for stream in container.streams.video if stream.id in tiles]
            for stream in streams:
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            try:
                for packet in container.demux(streams):
                    for picture in packet.decode():
                        item = packet.stream.id
                        pixels += picture.width * picture.height
                        if pixels > 2 * MAX_PIXELS:
                            raise ValueError("its tiles are too large")
                        self._set_color(picture, item)
                        pictures.setdefault(item, frame_rgb(picture, picture.width))
            except (av.FFmpegError, OSError, ValueError) as error:
                raise VideoError(self._where, f"can't be decoded ({error_text(error)})") from error
        return pictures

    def _set_color(self, picture: VideoFrame, item: int) -> None:
        """Let the file's description of colors stand over the codec's, as HEIF has it."""
        for owner in (item, self._plan.primary):
            for primaries, transfer, matrix, full in _colors(self._plan, owner):
                picture.color_primaries, picture.color_trc = primaries, transfer
                picture.colorspace, picture.color_range = matrix, 2 if full & 0x80 else 1


def _colors(plan: _Plan, item: int) -> list[tuple[int, int, int, int]]:
    """Return primaries, transfer, matrix and range (highest bit) of an item, by H.273."""
    return [
        struct.unpack_from(">HHHB", content, 4)
        for kind, content in plan.properties.get(item, ())
        if kind == "colr" and content[:4] == b"nclx"
    ]


def _boxes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield type and content of each box."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, begin)
            begin += 8
        end = len(content) if size == 0 else at + size
        if end < begin:
            raise ValueError("a box that ends before it begins")
        yield kind.decode("latin-1"), content[begin:end]
        at = end


def _read_plan(content: bytes) -> _Plan:
    plan = _Plan()
    # The four bytes of version and flags come first.
    meta = dict(_boxes(content))["meta"][4:]
    for kind, body in _boxes(meta):
        if kind == "pitm":
            (plan.primary,) = struct.unpack_from(">I" if body[0] else ">H", body, 4)
        elif kind == "iinf":
            for entry, item in _boxes(body[8 if body[0] else 6 :]):
                if entry == "infe" and item[0] >= 2:
                    wide = item[0] > 2
                    (number,) = struct.unpack_from(">I" if wide else ">H", item, 4)
                    at = 10 if wide else 8
                    plan.kinds[number] = item[at : at + 4].decode("latin-1")
        elif kind == "iref":
            for reference, item in _boxes(body[4:]):
                if reference == "dimg":
                    size, code = (4, ">I") if body[0] else (2, ">H")
                    (owner,) = struct.unpack_from(code, item)
                    # After the number of tiles, which takes two bytes.
                    numbers = struct.iter_unpack(code, item[size + 2 :])
                    plan.tiles[owner] = [number for (number,) in numbers]
        elif kind == "iprp":
            _read_properties(plan, body)
        elif kind == "iloc":
            _read_places(plan, body)
        elif kind == "idat":
            plan.data = body
    return plan


def _read_properties(plan: _Plan, body: bytes) -> None:
    parts = dict(_boxes(body))
    properties = list(_boxes(parts["ipco"]))
    links = io.BytesIO(parts["ipma"])
    version, flags, n = struct.unpack(">B3sI", links.read(8))
    for _ in range(n):
        (item,) = struct.unpack(">I" if version else ">H", links.read(4 if version else 2))
        (count,) = links.read(1)
        for _ in range(count):
            number = int.from_bytes(links.read(2 if flags[2] & 1 else 1), "big")
            number &= 0x7FFF if flags[2] & 1 else 0x7F
            if number:
                plan.properties.setdefault(item, []).append(properties[number - 1])


def _read_places(plan: _Plan, body: bytes) -> None:
    version = body[0]
    sizes = [body[4] >> 4, body[4] & 15, body[5] >> 4, body[5] & 15 if version else 0]
    fields = io.BytesIO(body[6:])

    def number(size: int) -> int:
        return int.from_bytes(fields.read(size), "big")

    for _ in range(number(4 if version > 1 else 2)):
        item = number(4 if version > 1 else 2)
        method = number(2) & 15 if version else 0
        number(2)  # where data lie in another file: not read
        base = number(sizes[2])
        for extent in range(number(2)):
            number(sizes[3])
            place = method, base + number(sizes[0]), number(sizes[1])
            if extent == 0:
                plan.places[item] = place
