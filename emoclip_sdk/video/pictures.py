"""Still and animated images, folders of frames, arrays and lists of pictures."""

from __future__ import annotations

import io
import json
import math
import os
import re
import struct
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from .clock import microseconds
from .limits import MAX_PIXELS, MAX_VIDEO_PIXELS, check_animation, check_size, decoder_errors
from .orientation import EXIF_MATRICES, UPRIGHT, upright
from .source import FrameFilter, RawFrame, VideoSource

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "CROP_SETTINGS",
    "FRAME_SUFFIXES",
    "ImageSource",
    "StillsSource",
    "as_rgb",
    "folder_rate",
    "folder_source",
    "image_rgb",
    "is_image",
    "picture_stream",
]

FRAME_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".gif"}
)

CROP_SETTINGS = "crop.json"
"""What ``emoclip-train crop`` leaves in a folder: of its settings in the root of all clips, of a
clip's own frames their ``rate`` in the folder of the clip."""

# Formats whose further pictures are frames. The other pictures of a phone's JPEG (MPO) or of a TIFF
# are previews, depth maps or pages.
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
_ORIENTATION = 0x0112  # of EXIF
UNTIMED = 0.1  # seconds for a GIF frame of "no" duration, as browsers show it


class StillsSource(VideoSource):
    """Pictures that have no clock of their own: frame i is shown at i / fps.

    Parameters
    ----------
    name : str
        For results.
    n : int
        Number of frames.
    load : callable
        Frame number to (H, W, 3) uint8 picture.
    fps : float
        Frames per second.
    """

    has_clock = False

    def __init__(
        self, name: str, n: int, load: Callable[[int], NDArray[np.uint8]], fps: float
    ) -> None:
        self.name = name
        self.duration = microseconds(n / fps)
        self._n = n
        self._load = load
        self._fps = fps

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames."""
        for i in range(self._n):
            time = microseconds(i / self._fps)
            yield RawFrame(i, time, 1 / self._fps, lambda i=i: self._load(i))  # type: ignore[misc]


class ImageSource(VideoSource):
    """An image file: one frame, or an animation (GIF, APNG, WebP).

    Parameters
    ----------
    media : str or bytes
        Path or content.
    name : str
        For results.
    where : str, optional
        For error messages, where it differs from `name`.
    """

    def __init__(self, media: str | bytes, name: str, *, where: str | None = None) -> None:
        self.name = name
        self._where = where or name
        self._media = media
        with decoder_errors(self._where), _open(media, self._where) as image:
            if not _is_animated(image):
                self.duration = 0.0
            else:
                size = len(media) if isinstance(media, bytes) else os.path.getsize(media)
                n, (width, height) = getattr(image, "n_frames", 1), image.size
                check_animation(n, width, height, size, self._where)

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames."""
        with _open(self._media, self._where) as image:
            animated = _is_animated(image)
            time = 0.0
            # The default image of an APNG is for those who can't animate, and no frame.
            first = int(animated and bool(image.info.get("default_image")))
            for index in range(getattr(image, "n_frames", 1) - first if animated else 1):
                try:
                    image.seek(first + index)
                    # Converted here and not on demand: the next seek overwrites the picture.
                    rgb = image_rgb(image)
                except Exception as error:  # Pillow's plugins raise nearly anything
                    if index == 0:
                        raise VideoError(self._where, f"can't be decoded ({error})") from error
                    return
                duration = image.info.get("duration", 0) / 1000 or UNTIMED if animated else None
                yield RawFrame(index, time, duration, lambda rgb=rgb: rgb)  # type: ignore[misc]
                time = microseconds(time + (duration or 0.0))


def folder_source(path: Path, fps: float) -> StillsSource:
    """Open a folder of frames, in natural order of their names (2.png before 10.png).

    Raises
    ------
    VideoError
        The folder has no picture in it.
    """
    files = sorted(
        (f for f in path.iterdir() if f.suffix.lower() in FRAME_SUFFIXES and f.name[0] != "."),
        key=_natural,
    )
    if not files:
        raise VideoError(
            str(path),
            "is a folder without pictures (png, jpg, ...) in it. It counts as one video, of these "
            "frames; several videos are a list of them",
        )

    def load(i: int) -> NDArray[np.uint8]:
        with _open(str(files[i]), str(files[i])) as image:
            try:
                return image_rgb(image)
            except Exception as error:  # Pillow's plugins raise nearly anything
                raise VideoError(str(files[i]), f"can't be decoded ({error})") from error

    return StillsSource(path.name or str(path), len(files), load, fps)


def folder_rate(path: Path) -> float | None:
    """Return the frames per second that are written in a folder of frames, or None.

    Raises
    ------
    VideoError
        It has a ``crop.json`` from which nothing can be learned.
    """
    file = path / CROP_SETTINGS
    try:
        rate = json.loads(file.read_text(encoding="utf-8"))["rate"]
        if rate is None or (rate > 0 and math.isfinite(rate)):
            return rate
        why = f"the rate is {rate}"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        why = repr(error)
    raise VideoError(
        str(file), f'must hold {{"rate": frames per second}} ({why}). Mend it, or delete it'
    )


def image_rgb(image: Image) -> NDArray[np.uint8]:
    """Return a PIL image as (H, W, 3) uint8, turned as its EXIF tag says, without alpha."""
    image.load()  # first: TIFF is turned by Pillow, which then takes the tag away
    matrix = EXIF_MATRICES.get(image.getexif().get(_ORIENTATION, 1), UPRIGHT)
    return upright(_stored_rgb(image), matrix)


def _stored_rgb(image: Image) -> NDArray[np.uint8]:
    """Return a picture as it is stored: what is gray of more than 8 bits, scaled to 0..255."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        gray = np.asarray(image, dtype=np.float64)
        brightest = gray.max(initial=0, where=np.isfinite(gray))
        if image.mode == "F" and brightest <= 1:
            gray = gray * 255
        elif image.mode.startswith("I;16") or brightest > 255:  # Pillow would clip it at 255
            gray = gray / 257
        levels = np.clip(np.rint(np.nan_to_num(gray)), 0, 255).astype(np.uint8)
        return np.repeat(levels[:, :, None], 3, axis=2)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # or Pillow warns, which is an error under "-W error"
    # No copy more than needed: a photo of 60 megapixels is 240 MB here.
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def as_rgb(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Check one frame of an array input and return it as (H, W, 3) uint8.

    Gray (H, W) and (H, W, 1) are repeated on three channels, an alpha channel is dropped.

    Raises
    ------
    VideoError
        Another shape or dtype.
    """
    if array.dtype != np.uint8:
        raise VideoError(
            name, f"frames must be uint8 in 0..255, not {array.dtype}; scale and convert them first"
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise VideoError(name, f"a frame must be (H, W, 3), not {array.shape}")
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3])


def is_image(head: bytes) -> bool:
    """Return whether the first 16 bytes of a file are those of an image that Pillow reads."""
    return (
        head.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"))
        or head[:2] in (b"P4", b"P5", b"P6")
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or head[4:12] in (b"ftypavif", b"ftypavis")
    )


def picture_stream(start: bytes) -> str | None:
    """Return FFmpeg's name of a video that is JPEG or PNG pictures, one after another; else None.

    Cameras put a preview or a map of depths behind a picture. Those are of another size, or the
    picture says that there are several (MPO).

    Parameters
    ----------
    start : bytes
        The file up to the middle of its second picture at least.
    """
    from PIL import Image

    known = next((s for s in _STREAMS if start.startswith(s[1])), None)
    if known is None:
        return None
    kind, signature, demuxer, end_of = known
    end = end_of(start)
    after = -1 if end is None else start.find(signature, end)
    if after < 0 or start[end:after].strip(b"\0\xff"):
        return None
    try:
        with (
            Image.open(io.BytesIO(start)) as first,
            Image.open(io.BytesIO(start[after:])) as second,
        ):
            same = (first.format, second.format, first.size) == (kind, kind, second.size)
            return demuxer if same else None
    except Exception:  # Pillow's plugins raise nearly anything
        return None


def _jpeg_end(data: bytes) -> int | None:
    """Return where a JPEG picture ends; None: it doesn't."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            # Compressed data, in which a marker is what follows 0xFF unless it is stuffed.
            at = data.find(b"\xff", at)
            if at < 0:
                return None
            continue
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return len(data) if data.endswith(b"\xff\xd9") else None


def _png_end(data: bytes) -> int | None:
    """Return where a PNG picture ends; None: it doesn't."""
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at
    return None


_STREAMS: tuple[tuple[str, bytes, str, Callable[[bytes], int | None]], ...] = (
    ("JPEG", b"\xff\xd8\xff", "mjpeg", _jpeg_end),
    ("PNG", b"\x89PNG\r\n\x1a\n", "png_pipe", _png_end),
)
"""Kinds of pictures: how they begin, FFmpeg's name of a video of them, what finds their end."""


def _open(media: str | bytes, where: str) -> Image:
    from PIL import Image

    _check_webp(media, where)
    try:
        image = Image.open(io.BytesIO(media) if isinstance(media, bytes) else media)
    except Exception as error:  # Pillow's plugins raise nearly anything
        raise VideoError(where, f"can't be opened as an image ({error})") from error
    if image.width * image.height > MAX_VIDEO_PIXELS:
        # A photo of 100 megapixels is real, and JPEG is decoded smaller at no cost.
        image.draft(None, (image.width // 2, image.height // 2))
    try:
        check_size(*image.size, where, MAX_PIXELS)
    except VideoError:
        image.close()
        raise
    return image


def _check_webp(media: str | bytes, where: str) -> None:
    """Refuse a WebP that is too large: Pillow takes memory for all of it when it is opened."""
    head = media[:30] if isinstance(media, bytes) else b""
    if isinstance(media, str):
        try:
            with open(media, "rb") as file:
                head = file.read(30)
        except OSError:
            return  # Pillow says what is wrong
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return
    if head[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(head[i : i + 3], "little") for i in (24, 27))
    elif head[12:16] == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))
    check_size(width, height, where)


def _is_animated(image: Image) -> bool:
    return image.format in ANIMATED and getattr(image, "n_frames", 1) > 1


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", path.name)]
