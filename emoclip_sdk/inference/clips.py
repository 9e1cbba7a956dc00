"""Clips of the model's span, laid over the frame embeddings of each track while they pass by."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..faces import MAX_GAP
from .frames import EmbeddedFrame

__all__ = ["Span", "pool_clips", "spans", "track_clips"]


T = TypeVar("T")
Vector = NDArray[np.float32]
Pool = Callable[[NDArray[np.float32], Sequence[Sequence[int]]], NDArray[np.float32]]

_BATCH = 64  # clips


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
    before: Iterable[int] = ()
    for time, faces in frames:
        seen.update(dict.fromkeys(before, time))  # each was on the screen until now
        before = faces.keys()
        for track, face in faces.items():
            span = open_spans.setdefault(track, Span(n_frames))
            seen[track] = time
            yield from ((track, clip) for clip in span.push(face))
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
    pooled_clips: dict[int, list[NDArray[np.float32]]] = {}
    cut = spans(((frame.time, frame.faces) for frame in frames), n_frames)
    while batch := list(itertools.islice(cut, _BATCH)):
        pooled = pool_clips([clip for _, clip in batch], pool)
        for (track, _), vector in zip(batch, pooled, strict=True):
            pooled_clips.setdefault(track, []).append(vector)
    return {track: np.stack(vectors) for track, vectors in sorted(pooled_clips.items())}


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
