"""One door for every kind of input."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np

from ..errors import VideoError
from .decode import FileSource
from .heif import HeifSource, is_heif
from .inputs import VideoInput
from .pictures import (
    ImageSource,
    StillsSource,
    as_rgb,
    folder_rate,
    folder_source,
    image_rgb,
    is_image,
    picture_stream,
)
from .source import VideoSource

__all__ = ["ACCEPTED", "VIDEO_SUFFIXES", "open_video"]

ACCEPTED = (
    "a path to a video, an image or a folder of frames; bytes or a binary file object; "
    "a NumPy array or torch tensor (T, H, W, 3) uint8; a list of PIL images"
)
# Files of a folder that count as videos; one that is given by name may be called anything.
# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".ogv", ".ts", ".webm", ".wmv",
})
# fmt: on

STILLS_FPS = 25.0
HEIF_PLAN = 2**20  # bytes at the beginning of a HEIF picture, in which lies what is in it
LARGEST_PICTURE = 2**26  # bytes in which the second picture of a stream begins
# Two letters or more, so that a Windows drive is not an address.
ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]+)://")


def open_video(
    source: VideoInput, *, fps: float | None = None, allow_network: bool = False
) -> VideoSource:
    """Open anything that counts as a video.

    Parameters
    ----------
    source : path, bytes, binary file object, array, tensor, list of PIL images
        See :data:`ACCEPTED`. A :class:`VideoSource` is returned as it is.
    fps : float, optional
        Frames per second of a source without a clock (folder, array, list, a bare stream such as
        ``.h264``). By default 25, or what the folder's ``crop.json`` or the stream says.
    allow_network : bool
        Network addresses (``https://``, ``rtsp://`` ...) are refused unless this is True.

    Returns
    -------
    VideoSource

    Raises
    ------
    VideoError
        Missing, empty or unreadable input, a network address, a type that is not accepted, or
        `fps` for a source that has a clock of its own.

    Examples
    --------
    >>> import numpy as np
    >>> video = open_video(np.zeros((50, 8, 8, 3), np.uint8), fps=25)
    >>> video.duration, len(list(video.sample(rate=7)))
    (2.0, 14)
    """
    if fps is not None and not (fps > 0 and math.isfinite(fps)):
        raise VideoError("fps", f"must be a positive number, not {fps}")
    opened = _open(source, fps, allow_network)
    if fps is not None and (opened is source or opened.has_clock):
        raise VideoError(opened.name, "has times of its own, so fps can't count: leave it out")
    return opened


def _open(source: Any, fps: float | None, allow_network: bool) -> VideoSource:
    rate = fps or STILLS_FPS
    if isinstance(source, VideoSource):
        return source
    if isinstance(source, (str, os.PathLike)):
        opened = _open_path(os.fspath(source), fps, allow_network)
        address = ADDRESS.match(os.fsdecode(source))
        if address is None:
            opened.origin = os.path.abspath(os.fsdecode(source))
        return opened
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _open_bytes(bytes(source), "bytes", fps)
    if hasattr(source, "read"):
        return _open_file(source, fps)
    if isinstance(source, np.ndarray) or _is_a("torch", "Tensor", source):
        return _open_array(source, rate)
    if _is_a("PIL.Image", "Image", source):
        return _open_list([source], rate)
    if isinstance(source, Sequence):
        return _open_list(source, rate)
    raise VideoError(type(source).__name__, f"can't be read as a video. Give {ACCEPTED}")


def _open_path(text: Any, fps: float | None, allow_network: bool) -> VideoSource:
    if not isinstance(text, str):  # os.fspath may return bytes
        text = os.fsdecode(text)
    address = ADDRESS.match(text)
    if address and address[1].lower() == "file":
        text = unquote(urlparse(text).path)
    elif address:
        if not allow_network:
            raise VideoError(
                text, "is a network address. Pass allow_network=True to let it be opened"
            )
        return FileSource(text, text, network=True)
    if not text:
        raise VideoError("''", "is the name of no file: it is empty")
    path = Path(text)
    try:
        if path.is_dir():
            return folder_source(path, fps or folder_rate(path) or STILLS_FPS)
        if not path.exists():
            raise VideoError(text, "no such file or folder")
        if not path.is_file():
            raise VideoError(text, "is neither a file nor a folder")
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise VideoError(text, f"can't be read ({getattr(error, 'strerror', error)})") from error
    if not head:
        raise VideoError(text, "the file is empty")
    if is_heif(head, lambda: _beginning(path, HEIF_PLAN)):
        return HeifSource(str(path), path.name, where=text)
    if not is_image(head):
        return FileSource(str(path), path.name, where=text, fps=fps)
    demuxer = picture_stream(_beginning(path, LARGEST_PICTURE))
    if demuxer:
        return FileSource(str(path), path.name, where=text, fps=fps, demuxer=demuxer)
    return ImageSource(str(path), path.name, where=text)


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _open_bytes(data: bytes, name: str, fps: float | None) -> VideoSource:
    if not data:
        raise VideoError(name, "the content is empty")
    if is_heif(data[:16], lambda: data):
        return HeifSource(data, name)
    if not is_image(data[:16]):
        return FileSource(data, name, fps=fps)
    demuxer = picture_stream(data[:LARGEST_PICTURE])
    return FileSource(data, name, fps=fps, demuxer=demuxer) if demuxer else ImageSource(data, name)


def _open_file(file: Any, fps: float | None) -> VideoSource:
    given = getattr(file, "name", None)
    name = os.path.basename(given) if isinstance(given, str) and given else "file object"
    try:
        seekable = bool(file.seekable())
        if seekable:
            file.seek(0)
        head = file.read(16 if seekable else -1)
    except (AttributeError, OSError, ValueError) as error:
        raise VideoError(name, f"the file object can't be read ({error})") from error
    if not isinstance(head, bytes):
        raise VideoError(name, "the file object is in text mode; open it with mode 'rb'")
    # A pipe can be read only once: it goes to memory. So does an image, which is small.
    if not seekable:
        return _open_bytes(head, name, fps)
    if not head:
        raise VideoError(name, "the file is empty")

    def read(n: int = -1) -> bytes:
        file.seek(0)
        content: bytes = file.read(n)
        return content

    if is_heif(head, lambda: read(HEIF_PLAN)):
        return HeifSource(read(), name)
    if not is_image(head):
        return FileSource(file, name, fps=fps)
    demuxer = picture_stream(read(LARGEST_PICTURE))
    if demuxer:
        return FileSource(file, name, fps=fps, demuxer=demuxer)
    return ImageSource(read(), name)


def _open_array(source: Any, fps: float) -> VideoSource:
    name = "array" if isinstance(source, np.ndarray) else "tensor"
    if name == "tensor":
        dtype = str(source.dtype).removeprefix("torch.")
        if dtype != "uint8":
            raise VideoError(name, f"must be uint8 in 0..255, not {dtype}; scale and convert it")
        source = source.detach().cpu().numpy()
    shape = tuple(source.shape)
    if source.ndim == 3 and shape[2] == 3:  # a single picture
        source = source[None]
    if source.ndim != 4 or source.shape[3] not in (1, 3, 4):
        hint = "; permute (T, C, H, W) first" if source.ndim == 4 and shape[1] == 3 else ""
        raise VideoError(name, f"must have the shape (T, H, W, 3), not {shape}{hint}")
    if len(source) == 0:
        raise VideoError(name, "holds no frames")
    as_rgb(source[0], name)
    return StillsSource(name, len(source), lambda i: as_rgb(source[i], name), fps)


def _open_list(source: Any, fps: float) -> VideoSource:
    name = "frames"
    if not source:
        raise VideoError(name, "the list is empty")
    for i, item in enumerate(source):
        if isinstance(item, np.ndarray):
            as_rgb(item, f"frames[{i}]")
        elif not _is_a("PIL.Image", "Image", item):
            raise VideoError(
                name, f"item {i} is a {type(item).__name__}, not a picture. Give {ACCEPTED}"
            )

    def load(i: int) -> Any:
        item = source[i]
        return as_rgb(item, f"frames[{i}]") if isinstance(item, np.ndarray) else image_rgb(item)

    return StillsSource(name, len(source), load, fps)


def _is_a(module: str, name: str, value: Any) -> bool:
    """Check a type without importing its package: a value of it can't exist before that."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name, ()))
