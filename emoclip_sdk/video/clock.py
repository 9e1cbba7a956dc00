"""From the time stamps of a stream to seconds from its first frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["MAX_FRAME_DURATION", "FrameClock", "seconds"]

MAX_FRAME_DURATION = 3600.0
"""Seconds for which a picture may stand still. What comes later has a broken time stamp: a few
bytes can claim centuries, every second of which a timeline would have to show."""

DEFAULT_FPS = 25.0  # for the rare stream that has neither time stamps nor a frame rate


class FrameClock:
    """Times of decoded frames, which start at 0 and never run backwards.

    Parameters
    ----------
    stream : av.VideoStream
        Its frame rate serves for frames without a time stamp.
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.base_rate
        step = 1.0 / float(rate) if rate else 1.0 / DEFAULT_FPS
        self._step = step if step <= MAX_FRAME_DURATION else 1.0 / DEFAULT_FPS
        self._start: int | None = None
        self._base = stream.time_base
        self._skipped = 0.0
        self._last = -self._step

    def advance(self, picture: VideoFrame) -> tuple[float, float | None]:
        """Return time and duration of the frame decoded next, in seconds; None: not stated."""
        base = picture.time_base
        if picture.pts is None or not base:
            time = self._last + self._step
        else:
            if self._start is None:
                self._start = picture.pts
            time = seconds(picture.pts - self._start, base) - self._skipped
            if abs(time - self._last) > MAX_FRAME_DURATION:
                self._skipped += time - (self._last + self._step)
                time = self._last + self._step
        time = max(time, self._last, 0.0)
        self._last = time
        duration = seconds(picture.duration, base) if picture.duration and base else None
        if duration is not None and not 0 <= duration <= MAX_FRAME_DURATION:
            duration = None
        return time, duration

    def predict(self, pts: int | None) -> float | None:
        """Return the time of a frame that is still to be decoded; None where it is not known."""
        if pts is None or self._start is None or not self._base:
            return None
        time = seconds(pts - self._start, self._base) - self._skipped
        return time if 0 <= time <= self._last + MAX_FRAME_DURATION else None


def seconds(ticks: int, base: Any) -> float:
    """Return the seconds of ticks of a time base (a fraction)."""
    # PyAV 19 has a rational type of its own in the place of Fraction.
    return float(ticks * base.numerator / base.denominator)
