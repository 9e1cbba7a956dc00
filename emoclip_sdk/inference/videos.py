"""One video or a list of them: a list goes on where one can't be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import VideoError

__all__ = ["each_video", "failed_name"]


T = TypeVar("T")


def each_video(video: Any, one: Callable[[Any], T], failed: Callable[[str, str], T]) -> T | list[T]:
    """Return ``one(video)``; for a batch, a list of what `one` returns for each.

    A list or tuple is a batch of videos, unless it holds pictures: that is one video. Where a video
    of a batch can't be read, its place is taken by ``failed(name, reason)``.
    """
    if not isinstance(video, list | tuple) or any(
        hasattr(item, "getbands") or getattr(item, "ndim", None) in (2, 3) for item in video
    ):
        return one(video)
    results = []
    for item in video:
        try:
            results.append(one(item))
        except VideoError as error:
            results.append(failed(*failed_name(item, error)))
    return results


def failed_name(video: Any, error: VideoError) -> tuple[str, str]:
    """Return the name of the video of a batch that failed, as a result states it, and why."""
    if not isinstance(video, str | os.PathLike):
        return error.name, error.reason
    path = os.fsdecode(os.fspath(video))
    name = os.path.basename(path.rstrip("/\\")) or path
    # A frame of a folder has a name of its own.
    return name, error.reason if error.name in (path, name) else str(error)
