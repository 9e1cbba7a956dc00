"""What a video is to the rest of the package: a name, a duration, and frames that have a time.

Every kind of input (file, bytes, folder, array ...) becomes a :class:`VideoSource`. Frames are
chosen by time, never by count, so that a 60 fps or variable-rate file means the same as a 30 fps
one.
"""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from .clock import microseconds
from .limits import check_held, decoder_errors

__all__ = ["Frame", "FrameFilter", "RawFrame", "VideoSource"]

# Containers round time stamps (Matroska to 1 ms). Without slack, a frame meant for k/rate would
# fall on either side of it, and re-muxing a file would change what is sampled.
TIME_SLACK = 2e-3
_EPS = 1e-6

FrameFilter = Callable[[float, float], bool]
"""Whether the frame that is shown from one time to another, in seconds, is needed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Parameters
    ----------
    index : int
        Frame number in decode order of what was read, from 0.
    time : float
        Seconds on the clock of the container: what a player shows.
    rgb : ndarray, shape (H, W, 3), uint8
        The picture, upright (rotation metadata applied).
    """

    index: int
    time: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class RawFrame:
    """A frame that has not been converted to RGB yet: most decoded frames are never sampled.

    Parameters
    ----------
    index, time
        As in :class:`Frame`.
    duration : float, optional
        Seconds for which the frame is shown, where the source knows.
    to_rgb : callable
        Makes the (H, W, 3) uint8 picture.
    """

    index: int
    time: float
    duration: float | None
    to_rgb: Callable[[], NDArray[np.uint8]]

    def frame(self) -> Frame:
        """Convert to RGB."""
        return Frame(self.index, self.time, self.to_rgb())


class VideoSource(ABC):
    """A video that can be read any number of times, always from its start.

    Attributes
    ----------
    name : str
        File name, or "array", "frames", "bytes" ...: for results.
    duration : float or None
        When the video ends, in seconds, as far as known: what the container says until a pass has
        reached the end, then what was really there.
    has_clock : bool
        Whether frames carry times. Where they don't, the caller may say how many there are a
        second.
    origin : str or None
        The file or folder that is read, where it is one: no result is written over it.
    live : bool
        Whether frames come whether somebody is ready or not.

    Raises
    ------
    VideoError
        By every reading method, when not a single frame can be read.
    """

    name: str
    duration: float | None = None
    origin: str | None = None
    live: bool = False
    has_clock: bool = True

    @abstractmethod
    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield frames in order of time. The first one is at 0, or later in a file that says so.

        Parameters
        ----------
        needed : FrameFilter, optional
            Frames that are not needed may be left out; they count in the index all the same.
            None: all are needed.
        """

    def decode_from(
        self, start: float, needed: FrameFilter | None = None
    ) -> Generator[RawFrame, None, None]:
        """Yield frames as :meth:`decode`; those that are off the screen at `start` may be left out.

        Parameters
        ----------
        start : float
            Seconds.
        needed : FrameFilter, optional
        """
        return self.decode(needed)

    def _decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Decode, insist on at least one frame, and learn the true duration at the end."""
        last: RawFrame | None = None
        gap = 0.0
        # Closed at once when a reader leaves early: a decoder must not wait for the collector.
        with closing(self.decode(needed)) as raws:
            for raw in raws:
                if last is not None:
                    gap = raw.time - last.time
                yield raw
                last = raw
        if last is None:
            raise VideoError(self.name, "holds no frame that can be decoded")
        self.duration = microseconds(last.time + (last.duration or gap))

    def _errors(self) -> AbstractContextManager[None]:
        """Return the boundary behind which whatever a decoder raises is a VideoError."""
        return decoder_errors(self.name)

    def frames(self) -> Generator[Frame, None, None]:
        """Yield every frame."""
        with self._errors(), closing(self._decode()) as raws:
            for raw in raws:
                yield raw.frame()

    def sample(self, rate: float) -> Generator[Frame, None, None]:
        """Yield the frames shown k/rate after the first one, k = 0, 1, ..., in one pass.

        Constant memory: one frame is held back, because how long it is shown is known when the
        next one comes. A frame that is shown at several of these times (a source slower than
        `rate`) is yielded once. There is always at least one frame.

        Parameters
        ----------
        rate : float
            Sampled frames per second.

        Raises
        ------
        VideoError
            No frame can be read, or `rate` is not positive.
        """
        if not (rate > 0 and math.isfinite(rate)):
            raise VideoError(self.name, f"the sampling rate must be positive, not {rate}")

        held: RawFrame | None = None

        def needed(start: float, end: float) -> bool:
            """Decide as the loop below, and in doubt that a frame is needed."""
            if held is None:
                return True
            k = max(math.ceil((start - first - TIME_SLACK) * rate - _EPS), 0)
            return first + k / rate < end - TIME_SLACK + _EPS

        first = gap = 0.0
        k = 0
        with self._errors(), closing(self._decode(needed)) as raws:
            for raw in raws:
                if held is None:
                    first = raw.time
                else:
                    gap = raw.time - held.time
                    until = raw.time - first - TIME_SLACK
                    if k / rate < until:
                        yield held.frame()
                        k = math.ceil(until * rate)
                held = raw
        if held is not None:
            end = held.time - first + (held.duration or gap)
            if k == 0 or k / rate < end - TIME_SLACK:
                with self._errors():
                    last_frame = held.frame()
                yield last_frame

    def count(self) -> int:
        """Decode everything and return the number of frames; no header is trusted."""
        with self._errors():
            return sum(1 for _ in self._decode())

    def expected_count(self) -> int | None:
        """Return the number of frames if it is known without decoding, else None."""
        return None

    def choose(self, plan: Callable[[int], Sequence[int] | NDArray[Any]]) -> list[Frame]:
        """Return the frames that `plan` chooses for a number of frames.

        The plan is made for the expected number; where a chosen frame does not exist, it is made
        again for the number that really decodes.

        Raises
        ------
        VideoError
            No frame can be read.
        """
        count = self.expected_count()
        if count:
            try:
                return self.pick(plan(count))
            except VideoError:
                log.debug("%s: holds less than the %d frames that it claims", self.name, count)
        with self._errors(), closing(self._decode()) as raws:
            numbers = [raw.index for raw in raws]  # of a part, they don't begin at 0
        return self.pick([numbers[int(i)] for i in plan(len(numbers))])

    def pick(self, indices: Sequence[int] | NDArray[Any]) -> list[Frame]:
        """Return frames by number, in the order asked for; numbers may repeat.

        Raises
        ------
        VideoError
            There is no frame of such a number.
        """
        numbers = [int(i) for i in indices]
        if not numbers:
            return []
        frames: dict[int, Frame] = {}
        needed = set(numbers)
        with self._errors(), closing(self._decode()) as raws:
            for raw in raws:
                if raw.index in needed:
                    frames[raw.index] = raw.frame()
                    check_held(len(needed), frames[raw.index].rgb.nbytes, self.name)
                    if len(frames) == len(needed):
                        break
        missing = sorted(needed - set(frames))
        if missing:
            raise VideoError(self.name, f"has no frame number {missing[0]}")
        return [frames[i] for i in numbers]
