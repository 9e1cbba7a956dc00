"""Windows of time, laid over the embedded frames while they pass by.

What is on the screen stays there until the next frame: a frame counts in the window in which it
comes, and in those over which it stays for a while.

A generator over frames in order of time, which holds no more than the windows that are not finished
yet: the length of a video costs no memory. Overlapping windows share frame embeddings.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import MAX_GAP, Detection, FaceQuality, QualityMean
from ..video import microseconds, uniform
from .frames import EmbeddedFrame

__all__ = ["WindowClip", "belongs", "check_windows", "windows"]

Vector = NDArray[np.float32]

# Seconds; keeps times that were rounded to microseconds on the side of the window they belong to.
_EPS = 5e-6
# Seconds that a frame stays on the screen to count in a window in which it didn't come: more than
# there are between two sampled frames, so that where a window begins is no matter of chance.
_LONG = 0.25


@dataclass(frozen=True)
class WindowClip:
    """One track in one window of time.

    Attributes
    ----------
    track : int, optional
        None: nobody is there, nor away for a moment only.
    start, end : float
        Seconds.
    n_frames : int
        Sampled frames with this face; 0 in a gap.
    clip : list of ndarray (D,) or None
        What the model sees of them: no more than its span, from first to last sight.
    face : Detection, optional
        Means of the face's box and of the detector's confidence.
    quality : FaceQuality, optional
        Means of how well it can be seen.
    actions : ndarray (56,), optional
        Means of its actions, over the frames that show them.
    seen : tuple of (float, float)
        When the face was on the screen: begin and end of each stretch within the window.
    frames : (int, int), optional
        Numbers in the file of the first and the last of the `n_frames`; None in a gap.
    """

    track: int | None
    start: float
    end: float
    n_frames: int = 0
    clip: Sequence[Vector | None] = ()
    face: Detection | None = None
    quality: FaceQuality | None = None
    actions: Vector | None = None
    seen: tuple[tuple[float, float], ...] = ()
    frames: tuple[int, int] | None = None


class _Shown(NamedTuple):
    """A frame, and until when it is on the screen."""

    frame: EmbeddedFrame
    until: float


def belongs(begin: float, end: float, start: float, stop: float) -> bool:
    """Return whether a frame that is shown from `begin` to `end` counts in a span of time."""
    if start - _EPS <= begin < stop - _EPS:
        return True
    return min(end, stop) - max(begin, start) >= min(_LONG, (stop - start) / 2) - _EPS


def windows(
    frames: Iterable[EmbeddedFrame],
    window: float,
    step: float,
    n_frames: int,
    duration: Callable[[], float | None] = lambda: None,
    *,
    at_once: bool = False,
) -> Iterator[list[WindowClip]]:
    """Lay windows of `window` seconds over every track, one every `step` seconds.

    A track has a window for each from the first in which it is seen to the last, gaps included.
    Windows begin at multiples of `step`; the first is cut where the video begins, and the last, the
    first one that reaches the end, is cut there. A step longer than the window leaves stretches
    out.

    Parameters
    ----------
    frames : iterable of EmbeddedFrame
    window, step : float
        Seconds, positive.
    n_frames : int
        The model's span. A window that holds more frames is thinned evenly, without its gaps.
    duration : callable
        When the video ends, in seconds, asked for after the last frame. None, or less than that
        frame's time: that plus its distance from the one before.
    at_once : bool
        Don't wait for those who are out of view: they have no clip in this window.

    Yields
    ------
    list of WindowClip
        For each window in order of time, the clips of its tracks. A window that ends while somebody
        is out of view comes when it is known whether they come back, `MAX_GAP` seconds later at
        most.
    """
    recent: deque[EmbeddedFrame] = deque()
    seen: dict[int, float] = {}
    waiting: deque[_Window] = deque()
    k, first_k, first, spacing = 0, 0, 0.0, 0.0

    def close(stop: float, until: float, *, final: bool = False) -> None:
        """End a window; the latest frame is shown `until` then."""
        nonlocal k
        start = max(k * step, first)
        ends = [*(frame.time for frame in itertools.islice(recent, 1, None)), until]
        shown = [
            _Shown(frame, end)
            for frame, end in zip(recent, ends, strict=True)
            # The last window takes every frame that is left, whatever the file says of its length.
            if (final or frame.time < stop - _EPS)
            and (end > start + _EPS or frame.time >= start - _EPS)
        ]
        times = microseconds(start), microseconds(stop)
        waiting.append(_Window.cut(*times, shown, seen, n_frames))
        k += 1
        forget()

    def forget() -> None:
        """Leave out frames that are off the screen when the next window begins."""
        while len(recent) > 1 and recent[1].time <= k * step + _EPS:
            recent.popleft()

    last: EmbeddedFrame | None = None
    for frame in frames:
        if last is None:
            first = frame.time
            k = math.floor((first + _EPS) / step)
            k += k * step + window <= first + _EPS
            first_k = k
        while frame.time >= k * step + window - _EPS:
            close(k * step + window, frame.time)
        spacing = 0.0 if last is None else frame.time - last.time
        recent.append(frame)
        forget()
        if last is not None:  # who was in the last frame was there until this one
            seen.update((track, frame.time) for track in last.faces)
        last = frame
        seen.update((track, frame.time) for track in frame.faces)
        for track in [t for t, time in seen.items() if frame.time - time > MAX_GAP]:
            del seen[track]
        for pending in waiting:
            pending.resolve(frame.faces, seen)
        while waiting and (at_once or not waiting[0].away):
            yield waiting.popleft().clips()
    if last is None:
        return
    stated = duration() or 0.0
    # A file may claim to be shorter.
    end = stated if stated > last.time else last.time + spacing
    while k == first_k or k * step < end - _EPS:
        reaches = k * step + window >= end - _EPS
        close(end if reaches else k * step + window, end, final=reaches)
        if reaches:
            break
    for pending in waiting:
        yield pending.clips()


@dataclass
class _Window:
    """A window that waits until it is known whether the tracks in `away` come back."""

    start: float
    stop: float
    present: dict[int, WindowClip]
    away: set[int]
    gaps: set[int] = field(default_factory=set)

    @classmethod
    def cut(
        cls,
        start: float,
        stop: float,
        shown: Sequence[_Shown],
        seen: Mapping[int, float],
        n_frames: int,
    ) -> _Window:
        # One of them at least counts: a window without a new frame shows the one before it.
        inside = [
            s.frame
            for s in shown
            if s.frame.time >= start or belongs(s.frame.time, s.until, start, stop)
        ]
        in_view = {track for frame in inside for track in frame.faces}
        present = {}
        for track in in_view:
            at = [i for i, frame in enumerate(inside) if track in frame.faces]
            view = list(range(at[0], at[-1] + 1))
            if len(view) > n_frames:
                view = [at[i] for i in uniform(len(at), n_frames)]
            clip = [inside[i].faces.get(track) for i in view]
            face = _mean_face(
                [inside[i].detections[track] for i in at if track in inside[i].detections]
            )
            quality = QualityMean(
                inside[i].qualities[track] for i in at if track in inside[i].qualities
            ).mean()
            measures = [inside[i].actions[track] for i in at if track in inside[i].actions]
            actions = np.mean(measures, axis=0) if measures else None
            sights = _sights(shown, track, start, stop)
            frames = inside[at[0]].index, inside[at[-1]].index
            present[track] = WindowClip(
                track, start, stop, len(at), clip, face, quality, actions, sights, frames
            )
        return cls(start, stop, present, {track for track in seen if track not in in_view})

    def resolve(self, here: Mapping[int, Any], seen: Mapping[int, float]) -> None:
        """Learn from one more frame who is back, and who is gone for good."""
        self.gaps |= self.away & here.keys()
        self.away &= seen.keys() - here.keys()

    def clips(self) -> list[WindowClip]:
        """Return one clip for each track, or the one that says that nobody is there."""
        tracks: list[int | None] = [*sorted(self.present.keys() | self.gaps)]
        return [
            (None if track is None else self.present.get(track))
            or WindowClip(track, self.start, self.stop)
            for track in tracks or [None]
        ]


def _sights(
    shown: Sequence[_Shown], track: int, start: float, stop: float
) -> tuple[tuple[float, float], ...]:
    """Return the stretches of a window in which a track is on the screen."""
    stretches: list[tuple[float, float]] = []
    for frame, until in shown:
        if track not in frame.faces:
            continue
        begin, end = max(frame.time, start), max(min(until, stop), start)
        if stretches and begin - stretches[-1][1] < _EPS:
            begin = stretches.pop()[0]
        stretches.append((microseconds(begin), microseconds(end)))
    return tuple(stretches)


def _mean_face(detections: Sequence[Detection]) -> Detection | None:
    if not detections:
        return None
    x0, y0, x1, y1 = np.mean([face.box for face in detections], axis=0).tolist()
    return Detection((x0, y0, x1, y1), float(np.mean([face.confidence for face in detections])))


def check_windows(window: float, step: float) -> None:
    """Refuse lengths in seconds that no timeline can have."""
    if not (window > 0 and step > 0 and math.isfinite(window) and math.isfinite(step)):
        raise EmoCLIPError(f"window and step must be positive, not {window} and {step}")
