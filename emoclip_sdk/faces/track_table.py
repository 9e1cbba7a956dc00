"""Statistics of the tracks of a video: who is in view, for how long, and how prominently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .frames import FrameFaces

__all__ = ["TrackStats", "TrackTable", "most_prominent"]


@dataclass(frozen=True)
class TrackStats:
    """A track in figures.

    Parameters
    ----------
    track : int
        Its number.
    n_frames : int
        Sampled frames in which the face is in view.
    first, last : float
        Times of its first and its last frame, in seconds.
    prominence : float
        Sum over these frames of (share of the picture's area) x confidence: who is large, long in
        view and surely a face.
    x, y, side : float
        Means of the box's center and side (root of its area), as shares of the picture's width,
        height and root of its area.
    n_shapes : int
        Frames in which its shape was found.
    """

    track: int
    n_frames: int
    first: float
    last: float
    prominence: float
    x: float = 0.0
    y: float = 0.0
    side: float = 0.0
    n_shapes: int = 0


class TrackTable:
    """Collects :class:`TrackStats` while frames pass by.

    Examples
    --------
    >>> table = TrackTable()
    >>> for frame in []:  # face_frames(...)
    ...     table.add(frame)
    >>> table.stats()
    ()
    """

    def __init__(self) -> None:
        self._stats: dict[int, TrackStats] = {}
        self.n_frames = 0

    def add(self, frame: FrameFaces) -> None:
        """Add a frame."""
        self.n_frames += 1
        width, height = frame.size
        for face in frame.faces:
            x0, y0, x1, y1 = face.box
            area = (x1 - x0) * (y1 - y0) / (width * height)
            old = self._stats.get(face.track)
            if old is None:
                old = TrackStats(face.track, 0, frame.time, frame.time, 0.0)
            n = old.n_frames + 1
            self._stats[face.track] = TrackStats(
                face.track,
                n,
                old.first,
                frame.time,
                old.prominence + area * face.confidence,
                old.x + ((x0 + x1) / (2 * width) - old.x) / n,
                old.y + ((y0 + y1) / (2 * height) - old.y) / n,
                old.side + (area**0.5 - old.side) / n,
                old.n_shapes + (face.shape is not None),
            )

    def watch(self, frames: Iterable[FrameFaces]) -> Iterator[FrameFaces]:
        """Add frames while they pass by."""
        for frame in frames:
            self.add(frame)
            yield frame

    def stats(self) -> tuple[TrackStats, ...]:
        """Return what was collected, in order of track numbers."""
        return tuple(self._stats[track] for track in sorted(self._stats))


def most_prominent(track_stats: Iterable[TrackStats]) -> TrackStats | None:
    """Return the track of the greatest prominence, the earlier one if equal; None without any."""
    return max(track_stats, key=lambda s: (s.prominence, -s.track), default=None)
