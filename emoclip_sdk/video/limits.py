"""What a file may ask for before it is decoded, and one boundary around everything that decodes.

A kilobyte can claim gigabytes of pictures, or centuries. The limits are far beyond every camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import EmoCLIPError, VideoError

__all__ = [
    "MAX_PIXELS",
    "MAX_VIDEO_PIXELS",
    "check_animation",
    "check_held",
    "check_size",
    "decoder_errors",
    "error_text",
]

MAX_PIXELS = 2**26
"""Pixels of a still picture: 8192 x 8192."""

MAX_VIDEO_PIXELS = 8192 * 4320
"""Pixels of a picture of a video or an animation, upright and with square pixels: 8K."""

# An animation is unpacked whole, every picture on its full canvas.
_ANY_ANIMATION = 2**28  # pixels of all its pictures, that any file may have: 129 of Full HD
_HELD_BYTES = 2**30  # of frames that are picked by number, as by sampling="uniform"
_PIXELS_PER_BYTE = 4096  # and beyond, for each of its bytes


def check_size(width: int, height: int, where: str, most: int = MAX_VIDEO_PIXELS) -> None:
    """Refuse pictures that are too large to be decoded.

    Parameters
    ----------
    width, height : int
        As the picture would be held in memory: upright, its pixels made square.
    where : str
        The file, for the message.
    most : int
        Pixels.

    Raises
    ------
    VideoError
        Naming both sizes.
    """
    if width * height > most:
        known = "8192 x 4320" if most == MAX_VIDEO_PIXELS else "8192 x 8192"
        raise VideoError(
            where,
            f"its pictures are too large, or it is damaged ({width} x {height} pixels; {known} is "
            "the most that is read). Make them smaller",
        )


def check_animation(n: int, width: int, height: int, n_bytes: int, where: str) -> None:
    """Refuse animations of far more pixels than their bytes can hold.

    Raises
    ------
    VideoError
        Naming number and size.
    """
    check_size(width, height, where)
    if n * width * height > max(_ANY_ANIMATION, _PIXELS_PER_BYTE * n_bytes):
        raise VideoError(
            where,
            f"claims {n} pictures of {width} x {height} pixels in {n_bytes} bytes. It is damaged; "
            "if not, save it as a video",
        )


def check_held(n: int, n_bytes: int, where: str) -> None:
    """Refuse to hold so many frames of so many bytes at once.

    Raises
    ------
    VideoError
        They are more than a clip of 4K.
    """
    if n * n_bytes > _HELD_BYTES:
        raise VideoError(
            where,
            f"{n} frames of it are too large to be held together ({n * n_bytes // 2**20} MB). Use "
            "sampling='deterministic', which holds a few, or make them smaller",
        )


@contextmanager
def decoder_errors(where: str) -> Iterator[None]:
    """Turn whatever a decoder, a filter or a plugin raises into a VideoError.

    FFmpeg's errors are of a dozen classes, and on damaged files PyAV and Pillow raise nearly
    anything else, too: IndexError, OSError, struct.error, SyntaxError.

    Raises
    ------
    VideoError
        With the library's words.
    """
    try:
        yield
    except EmoCLIPError:
        raise
    except MemoryError as error:
        raise VideoError(where, "its pictures don't fit into memory") from error
    except Exception as error:
        raise VideoError(where, f"can't be decoded ({error_text(error)})") from error


def error_text(error: BaseException) -> str:
    """Return what a library says of an error, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
