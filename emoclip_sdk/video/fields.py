"""Interlaced frames: two half pictures of different times, made into a whole one."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

from .filters import filtered

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["Neighbors", "deinterlaced", "with_neighbors"]

_SMALLEST = 16  # pixels of a side; bwdif needs 4, also of chroma at a quarter

Item = TypeVar("Item")
Neighbors = tuple["VideoFrame | None", "VideoFrame | None"]
"""The frames before and after an interlaced one; none for others."""


def with_neighbors(
    frames: Iterable[tuple[Item, VideoFrame]],
) -> Generator[tuple[Item, VideoFrame, Neighbors], None, None]:
    """Hold each interlaced frame back until the next one comes; others pass at once."""
    held: tuple[Item, VideoFrame] | None = None
    before: VideoFrame | None = None
    for item, picture in frames:
        if held is not None:
            yield *held, (before, picture)
            before, held = held[1], None
        if picture.interlaced_frame:
            held = item, picture
        else:
            before = None
            yield item, picture, (None, None)
    if held is not None:
        yield *held, (before, None)


def deinterlaced(picture: VideoFrame, neighbors: Neighbors) -> VideoFrame:
    """Return the picture of a frame's first field, with lines in between that fit its time.

    FFmpeg's ``bwdif``, which knows from both neighbors what moves; a frame that is not marked as
    interlaced is returned as it is, and so is one too small for the filter.
    """
    if not picture.interlaced_frame or min(picture.width, picture.height) < _SMALLEST:
        return picture
    before, after = (_alike(neighbor, picture) for neighbor in neighbors)
    # The filter needs a frame to come after. Alone, a frame is made of its first field.
    pictures = [p for p in (before, picture, after) if p is not None]
    if after is None:
        pictures.append(picture)
    results = filtered("bwdif", "mode=send_frame:deint=interlaced", pictures)
    result = results[1 if before is not None else 0]
    result.colorspace, result.color_range = picture.colorspace, picture.color_range
    return result


def _alike(neighbor: VideoFrame | None, picture: VideoFrame) -> VideoFrame | None:
    if neighbor is None or neighbor.format.name != picture.format.name:
        return None
    return (
        neighbor if (neighbor.width, neighbor.height) == (picture.width, picture.height) else None
    )
