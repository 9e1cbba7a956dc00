"""Windows of time, laid over the embedded frames while they pass by.

A generator over frames in order of time, which holds no more than the windows that are not finished
yet: the length of a video costs no memory. Overlapping windows share frame embeddings.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import MAX_GAP, Detection, FaceQuality, QualityMean
from ..video import uniform
from .frames import EmbeddedFrame

__all__ = ["WindowClip", "check_windows", "windows"]

Vector = NDArray[np.float32]

_EPS = 1e-6  # seconds; keeps sums of binary fractions on the side of the window they belong to


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
    """

    track: int | None
    start: float
    end: float
    n_frames: int = 0
    clip: Sequence[Vector | None] = ()
    face: Detection | None = None
    quality: FaceQuality | None = None
    actions: Vector | None = None


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

    A track has a window for each from the first in which it is seen to the last, gaps included. The
    last window is the first one that reaches the end of the video, cut there. A step longer than
    the window leaves stretches out.

    Parameters
    ----------
    frames : iterable of EmbeddedFrame
    window, step : float
        Seconds, positive.
    n_frames : int
        The model's span. A window that holds more frames is thinned evenly, without its gaps.
    duration : callable
        Length of the video in seconds, asked for after the last frame. None, or less than that
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
    k, last, spacing = 0, None, 0.0

    def close(stop: float, *, final: bool = False) -> None:
        nonlocal k
        # The last window takes every frame that is left, whatever the file says of its length.
        inside = [frame for frame in recent if final or frame.time < stop - _EPS]
        waiting.append(_Window.cut(k * step, stop, inside, seen, n_frames))
        k += 1
        while recent and recent[0].time < k * step - _EPS:
            recent.popleft()

    for frame in frames:
        while frame.time >= k * step + window - _EPS:
            close(k * step + window)
        spacing, last = 0.0 if last is None else frame.time - last, frame.time
        if frame.time >= k * step - _EPS:
            recent.append(frame)
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
    end = stated if stated > last else last + spacing  # a file may claim to be shorter
    while not k or k * step < end - _EPS:
        reaches = k * step + window >= end - _EPS
        close(end if reaches else k * step + window, final=reaches)
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
        inside: Sequence[EmbeddedFrame],
        seen: Mapping[int, float],
        n_frames: int,
    ) -> _Window:
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
            present[track] = WindowClip(track, start, stop, len(at), clip, face, quality, actions)
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


def _mean_face(detections: Sequence[Detection]) -> Detection | None:
    if not detections:
        return None
    x0, y0, x1, y1 = np.mean([face.box for face in detections], axis=0).tolist()
    return Detection((x0, y0, x1, y1), float(np.mean([face.confidence for face in detections])))


def check_windows(window: float, step: float) -> None:
    """Refuse lengths in seconds that no timeline can have."""
    if not (window > 0 and step > 0 and math.isfinite(window) and math.isfinite(step)):
        raise EmoCLIPError(f"window and step must be positive, not {window} and {step}")
