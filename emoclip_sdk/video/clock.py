"""One clock for a file, which is the container's: what a player shows at 1.2 s is 1.2 s here."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = [
    "MAX_FRAME_DURATION",
    "FrameClock",
    "continuous",
    "has_time_stamps",
    "microseconds",
    "seconds",
]

MAX_FRAME_DURATION = 3600.0
"""Seconds for which a picture may stand still. What comes later has a broken time stamp: a few
bytes can claim centuries, every second of which a timeline would have to show."""

DEFAULT_FPS = 25.0  # for the rare stream that has neither time stamps nor a frame rate

# Seconds from one packet to the next beyond which time stamps have begun anew. Forward: FFmpeg's
# own limit. Backward: decoding order never goes back, but some muxers round.
_MAX_FORWARD = 10.0
_MAX_BACKWARD = 0.1


class FrameClock:
    """Times of decoded frames, which never run backwards.

    A container whose time stamps have a zero (MP4, Matroska, AVI, ...) is believed. In one that
    counts from anywhere (MPEG-TS, MPEG-PS, Ogg), zero is where the first of its streams begins,
    sound included. A stream without time stamps is counted.

    Parameters
    ----------
    container : av.container.InputContainer
    stream : av.VideoStream
    fps : float, optional
        Frames per second of a stream without time stamps. By default what the stream says.
    live : bool
        The first frame is zero: what came before nobody has seen.

    Attributes
    ----------
    zero : float or None
        The time stamp, in seconds, that is zero; None: that of the first frame.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        fps: float | None = None,
        *,
        live: bool = False,
    ) -> None:
        self._counted = not has_time_stamps(container)
        # Without time stamps, the average is a demuxer's guess; the stream itself may know better.
        rate = fps or stream.guessed_rate or stream.average_rate or stream.base_rate
        step = 1.0 / float(rate) if rate else 1.0 / DEFAULT_FPS
        self._step = step if step <= MAX_FRAME_DURATION else 1.0 / DEFAULT_FPS
        self.zero = None if live or self._counted else _zero(container, stream)
        self._base = stream.time_base
        self._skipped = 0.0
        self._n = 0
        self._last: float | None = None

    def advance(self, picture: VideoFrame) -> tuple[float, float | None]:
        """Return time and duration of the frame decoded next, in seconds; None: not stated."""
        if self._counted:
            time, self._n = self.counted(self._n), self._n + 1
            return time, microseconds(self._step)
        base = picture.time_base
        last = self._last
        following = 0.0 if last is None else last + self._step
        if picture.pts is None or not base:
            time = following
        else:
            if self.zero is None:
                self.zero = seconds(picture.pts, base)
            time = seconds(picture.pts, base) - self.zero - self._skipped
            if abs(time - (last or 0.0)) > MAX_FRAME_DURATION:
                self._skipped += time - following
                time = following
        time = microseconds(max(time, last or 0.0, 0.0))
        self._last = time
        duration = seconds(picture.duration, base) if picture.duration and base else None
        if duration is not None and not 0 <= duration <= MAX_FRAME_DURATION:
            duration = None
        return time, duration

    def resume(self, pts: int) -> None:
        """Go on at the frame of this time stamp, after what comes before it was left out."""
        self._last = self.time(0, pts)

    def counted(self, number: int) -> float:
        """Return the time of a frame of a stream without time stamps."""
        return microseconds(number * self._step)

    def predict(self, pts: int | None) -> float | None:
        """Return the time of a frame that is still to be decoded; None where it is not known."""
        if pts is None or self.zero is None or not self._base:
            return None
        time = seconds(pts, self._base) - self.zero - self._skipped
        return microseconds(time) if 0 <= time <= (self._last or 0.0) + MAX_FRAME_DURATION else None

    def time(self, number: int, pts: int) -> float:
        """Return the time of a frame by its number and its time stamp."""
        if self._counted:
            return self.counted(number)
        return microseconds(max(seconds(pts, self._base) - (self.zero or 0.0), 0.0))


def has_time_stamps(container: InputContainer) -> bool:
    """Return whether frames carry times. A bare stream of H.264 or of pictures has none."""
    from av.format import Flags

    flag: Any = Flags.no_timestamps
    return not (container.format.flags & flag.value or container.format.name.endswith("_pipe"))


def _counts_from_anywhere(container: InputContainer) -> bool:
    """Return whether time stamps may begin anywhere, and anew, as in a broadcast."""
    from av.format import Flags

    flag: Any = Flags.ts_discont
    return bool(container.format.flags & flag.value)


def _zero(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.start_time is None or not stream.time_base:
        return None
    first = seconds(stream.start_time, stream.time_base)
    if _counts_from_anywhere(container):
        earliest = first if container.start_time is None else container.start_time / 1e6
        zero = min(first, earliest)
    else:
        # Sound before zero is what its encoder needs to begin with, and isn't played.
        zero = min(first, 0.0)
    return zero if first - zero <= MAX_FRAME_DURATION else first


def continuous(
    packets: Iterable[Packet[Any]], container: InputContainer, jumps: list[float] | None = None
) -> Generator[Packet[Any], None, None]:
    """Yield the packets of one stream; where its time stamps begin anew, they go on instead.

    They begin anew where recordings were joined end to end (``cat a.ts b.ts``), or where a camera
    restarted. The seconds of each such jump are put into `jumps`.
    """
    forward = _MAX_FORWARD if _counts_from_anywhere(container) else float("inf")
    shift, newest, step, shown = 0, None, 0, 0
    for packet in packets:
        if packet.size and packet.dts is not None and packet.time_base:
            dts = packet.dts + shift
            if newest is not None:
                ahead = seconds(dts - newest, packet.time_base)
                if ahead < -_MAX_BACKWARD or ahead > forward:
                    if jumps is not None:
                        jumps.append(ahead)
                    # Decoding goes on, and the first picture comes after all that were shown.
                    more = newest + step - dts
                    if packet.pts is not None:
                        more = max(more, shown + step - packet.pts - shift)
                    shift, dts = shift + more, dts + more
                else:  # the packets before say more of a rate than a stated duration
                    step = dts - newest if dts > newest else step
            step = step or packet.duration or 0
            newest = dts
            if packet.pts is not None:
                if seconds(packet.pts - packet.dts, packet.time_base) > forward:
                    # FFmpeg takes the next recording's time for the last frame of the one before.
                    packet.pts = shown + step - shift
                shown = max(shown, packet.pts + shift)
        if shift:
            if packet.dts is not None:
                packet.dts += shift
            if packet.pts is not None:
                packet.pts += shift
        yield packet


def seconds(ticks: int, base: Any) -> float:
    """Return the seconds of ticks of a time base (a fraction)."""
    # PyAV 19 has a rational type of its own in the place of Fraction.
    return float(ticks * base.numerator / base.denominator)


def microseconds(time: float) -> float:
    """Return seconds without what binary fractions add: 0.3, and not 0.30000000000000004."""
    return round(float(time), 6)
