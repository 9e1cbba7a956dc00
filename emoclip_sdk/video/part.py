"""A stretch of a video, on the clock of the whole."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ..errors import EmoCLIPError, VideoError
from .clock import microseconds
from .source import TIME_SLACK, Frame, FrameFilter, RawFrame, VideoSource

__all__ = ["PartSource", "check_part"]


def check_part(start: float | None, end: float | None) -> None:
    """Refuse seconds between which no video has a part.

    Raises
    ------
    EmoCLIPError
    """
    if start is not None and not (start >= 0 and math.isfinite(start)):
        raise EmoCLIPError(f"start must be seconds from 0 on, not {start}")
    if end is not None and not (end > (start or 0.0) and math.isfinite(end)):
        raise EmoCLIPError(f"end={end} must be after start={start or 0.0:g}, in seconds")


class PartSource(VideoSource):
    """What a video shows from one time to another.

    Times and frame numbers stay those of the whole. What is on the screen when the part begins is
    its first frame, at the time `start`; how long a frame is shown is known when the next one
    comes, so one is held back.

    Parameters
    ----------
    source : VideoSource
        The whole.
    start, end : float, optional
        Seconds on its clock. None: from its beginning; to its end.

    Raises
    ------
    VideoError
        By every reading method: the video shows nothing in this time.
    """

    def __init__(
        self, source: VideoSource, start: float | None = None, end: float | None = None
    ) -> None:
        self.name = source.name
        self.origin = source.origin
        self.has_clock = source.has_clock
        self.source = source
        self.start = 0.0 if start is None else start
        self.end = math.inf if end is None else end
        self.duration = None if source.duration is None else min(source.duration, self.end)

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames of the part; the video is entered near its start, where that can be."""

        def in_part(begin: float, until: float) -> bool:
            if until <= self.start or begin >= self.end:
                return False
            return needed is None or needed(max(begin, self.start), until)

        held: RawFrame | None = None
        gap = 0.0
        begun = False
        with closing(self.source.decode_from(self.start, in_part)) as raws:
            for raw in raws:
                if held is not None:
                    gap = raw.time - held.time
                    if raw.time > self.start + TIME_SLACK:
                        yield self._cut(held, raw.time)
                        begun = True
                if raw.time >= self.end - TIME_SLACK:
                    if not begun:
                        raise VideoError(
                            self.name,
                            f"shows nothing before {self.end:g} s: its pictures begin at "
                            f"{raw.time:g} s",
                        )
                    return
                held = raw
        if held is None:
            return
        until = held.time + (held.duration or gap)
        if not begun and max(until, held.time + TIME_SLACK) < self.start + TIME_SLACK:
            raise VideoError(
                self.name, f"ends at {microseconds(until):g} s, before the start at {self.start:g}"
            )
        yield self._cut(held, until if until > held.time else None)

    def _cut(self, raw: RawFrame, until: float | None) -> RawFrame:
        time = microseconds(max(raw.time, self.start))
        duration = None if until is None else microseconds(max(min(until, self.end) - time, 0.0))
        return RawFrame(raw.index, time, duration, raw.to_rgb)

    def pick(self, indices: Sequence[int] | NDArray[Any]) -> list[Frame]:
        """Return frames by their number in the whole video, see :meth:`VideoSource.pick`."""
        frames = self.source.pick(indices)
        return [replace(frame, time=max(frame.time, self.start)) for frame in frames]
