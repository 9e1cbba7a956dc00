"""Frames that come whether somebody is ready or not: cameras, iterators, videos in real time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from ..errors import VideoError
from .inputs import LiveInput
from .opening import open_video
from .pictures import as_rgb
from .source import Frame, FrameFilter, RawFrame, VideoSource

__all__ = ["CameraSource", "IteratorSource", "LiveFrames", "open_live"]

CAPACITY = 4
"""Sampled frames that wait for detection; of more, the oldest is dropped."""

_POLL = 0.1  # seconds in which a reader notices that nobody wants its frames any more


class CameraSource(VideoSource):
    """A camera, read by OpenCV. It is opened when it is read.

    Parameters
    ----------
    number : int
        As OpenCV counts cameras, from 0.
    """

    live = True

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"camera {number}"

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield frames with the times at which they came, until the camera stops."""
        try:
            import cv2
        except ImportError as error:
            raise VideoError(
                self.name,
                f"OpenCV can't be loaded ({error}). Install the system's OpenGL library (libgl1) "
                "or opencv-python-headless",
            ) from error
        logs = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # from OpenCV 4.13 on
        level = logs.getLogLevel()
        logs.setLogLevel(0)  # silent
        try:
            camera = cv2.VideoCapture(self.number)
        finally:
            logs.setLogLevel(level)
        try:
            if not camera.isOpened():
                raise VideoError(
                    self.name,
                    "can't be opened. Is it connected, free, and may this program use it? "
                    "Other cameras have other numbers, from 0",
                )
            camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            start: float | None = None
            index = 0
            while True:
                success, bgr = camera.read()
                if not success:
                    if not index:
                        raise VideoError(self.name, "is open but gives no picture")
                    return
                now = time.monotonic()
                start = now if start is None else start
                yield RawFrame(index, now - start, None, lambda bgr=bgr: bgr[..., ::-1].copy())  # type: ignore[misc]
                index += 1
        finally:
            camera.release()


class IteratorSource(VideoSource):
    """Frames that an iterator hands over; it can be read once.

    Parameters
    ----------
    frames : iterator
        Pictures (H, W, 3) uint8 RGB, which count from the time at which they come, or pairs
        (seconds, picture).
    """

    live = True

    def __init__(self, frames: Iterable[Any]) -> None:
        self.name = "frames"
        self._frames = frames

    def _errors(self) -> AbstractContextManager[None]:
        """Return none: what the iterator raises is the caller's own."""
        return nullcontext()

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames, the first one at 0."""
        start: float | None = None
        last = 0.0
        for index, item in enumerate(self._frames):
            now, picture = item if isinstance(item, tuple) else (time.monotonic(), item)
            start = now if start is None else start
            if now - start < last:
                raise VideoError(self.name, f"frame {index}: its time is before the last one's")
            last = now - start
            rgb = as_rgb(picture, f"frames[{index}]")
            yield RawFrame(index, last, None, lambda rgb=rgb: rgb)  # type: ignore[misc]


def open_live(
    source: LiveInput, *, fps: float | None = None, allow_network: bool = False
) -> VideoSource:
    """Open a camera (its number), an iterator of frames, or a video, which plays in real time.

    Raises
    ------
    VideoError
        As by :func:`~emoclip_sdk.video.open_video`. A camera is opened when it is read.
    """
    opened: VideoSource
    if isinstance(source, int) and not isinstance(source, bool):
        opened = CameraSource(source)
    elif isinstance(source, Iterator) and not hasattr(source, "read"):
        opened = IteratorSource(source)
    else:
        # A bool, which is an int, is refused there.
        return open_video(source, fps=fps, allow_network=allow_network)  # type: ignore[arg-type]
    if fps is not None:
        raise VideoError(opened.name, "has times of its own, so fps can't count: leave it out")
    return opened


class LiveFrames:
    """The latest frames of a source, sampled; to be gone through once.

    A thread of its own takes the frames when they come, not before the time that they carry. Where
    more than `capacity` wait, it drops the oldest one; what is recorded waits instead, and plays
    slower than in real time.

    Attributes
    ----------
    name : str
    dropped : int
        Sampled frames so far that nobody was ready for.

    Parameters
    ----------
    source : VideoSource
    rate : float
        Sampled frames per second.
    capacity : int
    """

    def __init__(self, source: VideoSource, rate: float, capacity: int = CAPACITY) -> None:
        self.name = source.name
        self.dropped = 0
        self._source = source
        self._rate = rate
        self._capacity = capacity
        self._waiting: deque[tuple[Frame, float]] = deque()
        self._delivered: deque[tuple[float, float]] = deque()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._ended = False
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; an error of the source is raised after the last one."""
        thread = threading.Thread(target=self._read, name="live", daemon=True)
        thread.start()
        try:
            while True:
                with self._changed:
                    # In short turns, so that Ctrl-C is noticed on every system.
                    while not (self._waiting or self._ended):
                        self._changed.wait(_POLL)
                    if not self._waiting:
                        break
                    frame, arrival = self._waiting.popleft()
                    self._changed.notify_all()
                self._delivered.append((frame.time, arrival))
                yield frame
            if self._error is not None:
                raise self._error
        finally:
            self.stop()
            thread.join(2 * _POLL)  # an iterator may wait for its next frame for ever

    def stop(self) -> None:
        """Take no more frames."""
        self._stopped.set()

    def since(self, start: float, end: float) -> tuple[int, float]:
        """Return how many frames from `start` to `end` were delivered, and the delay since `end`.

        The delay: seconds from the arrival of the first frame at or after `end` (at the end of the
        source: the last one) until now. What is before `start` is forgotten.
        """
        while self._delivered and self._delivered[0][0] < start:
            self._delivered.popleft()
        n = sum(at < end for at, _ in self._delivered)
        arrival = next((a for at, a in self._delivered if at >= end), None)
        if arrival is None:
            arrival = self._delivered[-1][1] if self._delivered else time.monotonic()
        return n, time.monotonic() - arrival

    def _read(self) -> None:
        try:
            with closing(self._source.sample(self._rate)) as frames:
                start: float | None = None
                for frame in frames:
                    now = time.monotonic()
                    start = now - frame.time if start is None else start
                    # What carries times of its own, as a file does, is played in real time.
                    if self._stopped.wait(max(start + frame.time - now, 0)):
                        return
                    with self._changed:
                        while not self._source.live and len(self._waiting) == self._capacity:
                            if self._stopped.is_set():
                                return
                            self._changed.wait(_POLL)
                        if len(self._waiting) == self._capacity:
                            self._waiting.popleft()
                            self.dropped += 1
                        self._waiting.append((frame, time.monotonic()))
                        self._changed.notify()
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
