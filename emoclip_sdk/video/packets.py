"""What packets say of frames before any is decoded: their times, and which can be skipped."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.packet import Packet

__all__ = ["FrameSkipper", "FrameTable", "frame_table", "with_lookahead"]

# Packets that are read ahead: more than any codec's frames are out of order. The last frames of a
# video are always decoded, then, and tell how long it is.
_LOOKAHEAD = 32
# Two days of 60 frames a second. What claims more is damaged, or means to fill the memory.
_MAX_FRAMES = 10_000_000


@dataclass(frozen=True)
class FrameTable:
    """The frames of a video in the order in which they are shown.

    Attributes
    ----------
    n : int
        Packets that hold a frame.
    pts : ndarray of int64, (n,), optional
        Time stamp of each frame in ticks, ascending. None: there are packets without one.
    keys : ndarray of int, (K,)
        Numbers of the frames with which decoding can begin, ascending.
    last : int
        Ticks for which the last frame is shown.
    """

    n: int
    pts: NDArray[np.int64] | None = None
    keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    last: int = 0

    def number(self, pts: int | None) -> int | None:
        """Return the number of the frame of that time stamp; None: there is none."""
        if self.pts is None or pts is None:
            return None
        at = int(np.searchsorted(self.pts, pts))
        return at if at < self.n and self.pts[at] == pts else None

    def key_before(self, number: int) -> int:
        """Return the last frame up to `number` with which decoding can begin."""
        return int(self.keys[bisect_right(self.keys, number) - 1])


def frame_table(packets: Iterable[Packet[Any]], max_duration: int) -> FrameTable:
    """Read all packets of a stream, which takes a hundredth of the time of decoding them.

    Parameters
    ----------
    packets : iterable of av.Packet
    max_duration : int
        Ticks from one frame to the next beyond which time stamps are not believed.
    """
    n, keys, stamps = 0, array("q"), array("q")
    last = (-(2**63), 0)  # time stamp and duration
    for packet in packets:
        if packet.size and not packet.is_discard:
            n += 1
            if packet.pts is not None and n <= _MAX_FRAMES:
                stamps.append(packet.pts)
                last = max(last, (packet.pts, packet.duration or 0))
                if packet.is_keyframe:
                    keys.append(packet.pts)
    pts = np.array(stamps, dtype=np.int64)
    starts_with_key = bool(keys) and keys[0] == stamps[0] == pts.min()
    pts.sort()
    steps = np.diff(pts)
    if len(pts) < n or not starts_with_key or (steps <= 0).any() or (steps > max_duration).any():
        return FrameTable(n)
    last_duration = last[1] or (int(steps[-1]) if len(steps) else 0)
    return FrameTable(n, pts, np.searchsorted(pts, np.sort(keys)), last_duration)


def with_lookahead(
    packets: Iterable[Packet[Any]],
) -> Generator[tuple[Packet[Any], int | None], None, None]:
    """Yield each packet with the time stamp of the frame that is shown after its own.

    None where that is not known for sure: at the end, and from the first packet on whose time
    stamps are not in order.
    """
    waiting: deque[Packet[Any]] = deque()
    passed: deque[int] = deque(maxlen=_LOOKAHEAD)
    stamps: list[int] = []  # of those that wait and of those that have passed
    newest, in_order = None, True
    for packet in packets:
        if packet.size:
            dts, pts = packet.dts, packet.pts
            if dts is None or pts is None or pts < dts or (newest is not None and dts < newest):
                in_order = False
            else:
                newest = dts
                insort(stamps, pts)
        waiting.append(packet)
        if len(waiting) <= _LOOKAHEAD:
            continue
        head = waiting.popleft()
        if not in_order or head.pts is None or newest is None:
            yield head, None
            continue
        at = bisect_right(stamps, head.pts)
        # What comes later is decoded after `newest`, and shown no earlier.
        known = at < len(stamps) and stamps[at] <= newest
        yield head, stamps[at] if known else None
        if len(passed) == _LOOKAHEAD:
            del stamps[bisect_left(stamps, passed[0])]
        passed.append(head.pts)
    for packet in waiting:
        yield packet, None


class FrameSkipper:
    """Tells a decoder which packets it may skip, and counts the frames that are missing then.

    A decoder skips only what no other frame refers to.
    """

    def __init__(self) -> None:
        self._requests: list[int] = []  # time stamps of frames that may be skipped, ascending
        self._skipping = False

    def prepare(self, packet: Packet[Any], *, needed: bool) -> None:
        """Decide about the packet that is decoded next."""
        skip = False
        if not needed and packet.pts is not None and not packet.is_discard:
            skip = True
            insort(self._requests, packet.pts)
        if skip != self._skipping:
            packet.stream.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"
            self._skipping = skip

    def skipped_before(self, pts: int | None) -> int:
        """Return how many frames were skipped before the one that came out now."""
        if pts is None:
            return 0
        before = bisect_left(self._requests, pts)
        # A frame that others refer to is decoded in spite of the request.
        decoded = before < len(self._requests) and self._requests[before] == pts
        del self._requests[: before + decoded]
        return before
