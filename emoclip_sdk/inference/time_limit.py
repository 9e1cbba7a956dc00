"""Seconds that reading one video may take."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import TypeVar

from ..errors import VideoError
from ..video.source import FrameFilter, RawFrame, VideoSource

__all__ = ["LimitedSource"]

T = TypeVar("T")


class LimitedSource(VideoSource):
    """A video whose reading is given up after some seconds, between two of its frames.

    Parameters
    ----------
    source : VideoSource
    timeout : float
        Seconds, of the time that passes within :meth:`timed`.
    """

    def __init__(self, source: VideoSource, timeout: float) -> None:
        self.name = source.name
        self.duration = source.duration
        self.origin = source.origin
        self._source = source
        self._timeout = timeout
        self._spent = 0.0
        self._running_since: float | None = None

    def timed(self, items: Iterable[T]) -> Iterator[T]:
        """Hand on what is made of this video; the time of whoever takes it does not count."""
        iterator = iter(items)
        while True:
            self._running_since = time.monotonic()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._spent += time.monotonic() - self._running_since
                self._running_since = None
            yield item

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames of the video.

        Raises
        ------
        VideoError
            The time is over.
        """
        return self._timed_out(self._source.decode(needed))

    def decode_from(
        self, start: float, needed: FrameFilter | None = None
    ) -> Generator[RawFrame, None, None]:
        """Yield the frames from a time on; errors as by :meth:`decode`."""
        return self._timed_out(self._source.decode_from(start, needed))

    def _timed_out(self, raws: Generator[RawFrame, None, None]) -> Generator[RawFrame, None, None]:
        with closing(raws) as frames:
            for frame in frames:
                since = self._running_since
                spent = self._spent + (0.0 if since is None else time.monotonic() - since)
                if spent > self._timeout:
                    raise VideoError(self.name, f"reading it took longer than {self._timeout:g} s")
                yield frame

    def expected_count(self) -> int | None:
        """Return what the video claims."""
        return self._source.expected_count()
