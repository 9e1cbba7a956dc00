"""One video or a list of them: a list goes on where one can't be read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..errors import VideoError
from ..runtime.metering import numbered, open_progress
from .options import ReadOptions

__all__ = ["each_of", "each_video", "failed_name", "is_batch"]


T = TypeVar("T")


def each_video(
    video: Any,
    options: ReadOptions,
    one: Callable[[Any, ReadOptions], T],
    failed: Callable[[str, str], T],
) -> T | list[T]:
    """Return ``one(video, options)``; for a batch, a list of what `one` returns for each.

    A sequence is a batch of videos, unless it holds pictures: that is one video. Where a video of a
    batch can't be read, its place is taken by ``failed(name, reason)``. Progress is that of all.
    """
    return each_of(video, options, one, failed) if is_batch(video) else one(video, options)


def each_of(
    videos: Sequence[Any],
    options: ReadOptions,
    one: Callable[[Any, ReadOptions], T],
    failed: Callable[[str, str], T],
) -> list[T]:
    """Return what `one` returns for each video, as :func:`each_video` for a batch."""
    results = []
    begun = time.monotonic()
    with open_progress(options.progress) as hook:
        for number, item in enumerate(videos):
            own = None if hook is None else numbered(hook, number, len(videos), begun)
            try:
                results.append(one(item, replace(options, progress=own)))
            except VideoError as error:
                results.append(failed(*failed_name(item, error)))
    return results


def is_batch(video: Any) -> bool:
    """Whether several videos are given. Pictures in a sequence are one video."""
    if not isinstance(video, Sequence) or isinstance(video, str | bytes | bytearray | memoryview):
        return False
    return not any(
        hasattr(item, "getbands") or getattr(item, "ndim", None) in (2, 3) for item in video
    )


def failed_name(video: Any, error: VideoError) -> tuple[str, str]:
    """Return the name of the video of a batch that failed, as a result states it, and why."""
    if not isinstance(video, str | os.PathLike):
        return error.name, error.reason
    path = os.fsdecode(os.fspath(video))
    name = os.path.basename(path.rstrip("/\\")) or path
    # A frame of a folder has a name of its own.
    return name, error.reason if error.name in (path, name) else str(error)
