"""Between video and model: every face is embedded once, and clips are laid over the embeddings.

Everything here is a generator over frames in order of time, and holds no more than the clips that
are not finished yet: the length of a video costs no memory. Overlapping windows share frame
embeddings.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .video import MAX_GAP, Detection, FrameFaces, uniform

__all__ = [
    "EmbeddedFrame",
    "Span",
    "WindowClip",
    "embed_faces",
    "pool_clips",
    "spans",
    "track_clips",
    "windows",
]

T = TypeVar("T")
Vector = NDArray[np.float32]
Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Pool = Callable[[NDArray[np.float32], Sequence[Sequence[int]]], NDArray[np.float32]]

_BATCH = 64  # crops, or clips
_LONGEST_WAIT = 256  # frames, where few of them show a face
_EPS = 1e-6  # seconds; keeps sums of binary fractions on the side of the window they belong to


@dataclass(frozen=True)
class EmbeddedFrame:
    """The faces of one sampled frame.

    Attributes
    ----------
    time : float
        Seconds.
    faces : dict of int to ndarray (D,)
        Frame embedding of each track that is in view.
    found : dict of int to Detection
        Where each of them is in the picture, and how sure the detector is of it.
    """

    time: float
    faces: Mapping[int, Vector]
    found: Mapping[int, Detection] = field(default_factory=dict)


def embed_faces(
    stream: Iterable[FrameFaces], encode: Encode, *, at_once: bool = False
) -> Iterator[EmbeddedFrame]:
    """Embed the crops of a stream of frames in batches; no more crops than a batch are held.

    Parameters
    ----------
    stream : iterable of FrameFaces
        In order of time.
    encode : callable
        Crops (N, S, S, 3) to embeddings (N, D).
    at_once : bool
        Embed each frame when it comes.
    """
    waiting: list[FrameFaces] = []
    crops: list[NDArray[np.uint8]] = []

    def finished() -> Iterator[EmbeddedFrame]:
        vectors = iter(encode(np.stack(crops)) if crops else ())
        for frame in waiting:
            yield EmbeddedFrame(
                frame.time,
                {face.track: next(vectors) for face in frame.faces},
                {face.track: Detection(face.box, face.confidence) for face in frame.faces},
            )
        waiting.clear()
        crops.clear()

    for frame in stream:
        waiting.append(frame)
        crops += [face.crop for face in frame.faces]
        if at_once or len(crops) >= _BATCH or len(waiting) >= _LONGEST_WAIT:
            yield from finished()
    yield from finished()


class Span(Generic[T]):
    """Cuts what one track shows into clips of the model's span.

    Clips follow one another; the last one ends where the track does, and overlaps the one before.
    A track that is shorter than the span is one short clip.

    Parameters
    ----------
    n_frames : int
        Frames of a clip.
    """

    def __init__(self, n_frames: int) -> None:
        self._recent: deque[T | None] = deque(maxlen=n_frames)
        self._new = 0
        self._gap = 0

    def skip(self) -> None:
        """Count a frame in which the track is not in view; it may come back."""
        if self._recent:
            self._gap += 1

    def push(self, item: T) -> Iterator[list[T | None]]:
        """Take a frame of the track; yield the clips that it completes, None in gaps."""
        missing, self._gap = self._gap, 0
        for value in [*[None] * missing, item]:
            self._recent.append(value)
            self._new += 1
            if self._new == self._recent.maxlen:
                yield from self.finish()

    def finish(self) -> Iterator[list[T | None]]:
        """Yield the last clip, if anything is left. A clip without any face is left out."""
        if self._new and any(item is not None for item in self._recent):
            yield list(self._recent)
        self._new = 0


def spans(
    frames: Iterable[tuple[float, Mapping[int, T]]], n_frames: int
) -> Iterator[tuple[int, list[T | None]]]:
    """Cover the time in which each track is in view by clips of the model's span.

    Parameters
    ----------
    frames : iterable of (float, mapping of int to T)
        Time of each sampled frame, and what each track shows in it.
    n_frames : int
        The model's span.

    Yields
    ------
    track, clip
        What the track shows, None in gaps. Clips of a track come in order of time.
    """
    open_spans: dict[int, Span[T]] = {}
    seen: dict[int, float] = {}
    for time, faces in frames:
        for track, shown in faces.items():
            span = open_spans.setdefault(track, Span(n_frames))
            seen[track] = time
            yield from ((track, clip) for clip in span.push(shown))
        for track in [track for track in open_spans if track not in faces]:
            open_spans[track].skip()
            if time - seen[track] > MAX_GAP:  # it never comes back under this number
                yield from ((track, clip) for clip in open_spans.pop(track).finish())
    for track, span in open_spans.items():
        yield from ((track, clip) for clip in span.finish())


def track_clips(
    frames: Iterable[EmbeddedFrame], n_frames: int, pool: Pool
) -> dict[int, NDArray[np.float32]]:
    """Read to the end, and return for each track its W clips of the model's span, pooled: (W, D).

    What is kept of a video is one embedding for each clip: a megabyte an hour.
    """
    found: dict[int, list[NDArray[np.float32]]] = {}
    cut = spans(((frame.time, frame.faces) for frame in frames), n_frames)
    while batch := list(itertools.islice(cut, _BATCH)):
        pooled = pool_clips([clip for _, clip in batch], pool)
        for (track, _), vector in zip(batch, pooled, strict=True):
            found.setdefault(track, []).append(vector)
    return {track: np.stack(vectors) for track, vectors in sorted(found.items())}


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
    """

    track: int | None
    start: float
    end: float
    n_frames: int = 0
    clip: Sequence[Vector | None] = ()
    face: Detection | None = None


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
        there = {track for frame in inside for track in frame.faces}
        present = {}
        for track in there:
            at = [i for i, frame in enumerate(inside) if track in frame.faces]
            view = list(range(at[0], at[-1] + 1))
            if len(view) > n_frames:
                view = [at[i] for i in uniform(len(at), n_frames)]
            clip = [inside[i].faces.get(track) for i in view]
            face = _mean_face([inside[i].found[track] for i in at if track in inside[i].found])
            present[track] = WindowClip(track, start, stop, len(at), clip, face)
        return cls(start, stop, present, {track for track in seen if track not in there})

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


def _mean_face(found: Sequence[Detection]) -> Detection | None:
    if not found:
        return None
    x0, y0, x1, y1 = np.mean([face.box for face in found], axis=0).tolist()
    return Detection((x0, y0, x1, y1), float(np.mean([face.confidence for face in found])))


def pool_clips(clips: Sequence[Sequence[Vector | None]], pool: Pool) -> NDArray[np.float32]:
    """Pool W clips of frame embeddings, None in gaps, to (W, D)."""
    frames = [vector for clip in clips for vector in clip if vector is not None]
    rows, row = [], 0
    for clip in clips:
        rows.append([-1 if vector is None else row + i for i, vector in _numbered(clip)])
        row += sum(vector is not None for vector in clip)
    return pool(np.stack(frames), rows)


def _numbered(clip: Sequence[Vector | None]) -> Iterator[tuple[int, Vector | None]]:
    """Count the frames that are there."""
    i = 0
    for vector in clip:
        yield i, vector
        i += vector is not None
