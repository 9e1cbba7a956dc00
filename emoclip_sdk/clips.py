"""Between video and model: embed every face once, then lay clips over the frame embeddings.

All windows of all tracks share the frame embeddings, so that overlapping windows, other labels and
other window lengths cost no second pass through the image tower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .results import FaceTrack
from .video import FrameFaces, TrackTable, uniform, windows

__all__ = ["EmbeddedFaces", "embed_faces", "span_windows", "window_clip"]

_BATCH = 64


@dataclass(frozen=True)
class EmbeddedFaces:
    """The faces of a video as embeddings.

    Attributes
    ----------
    times : ndarray, (T,)
        Times of all sampled frames in seconds, with or without a face.
    frames : ndarray, (N, D)
        Frame embeddings of all faces.
    rows : dict of int to ndarray (T,)
        For each track and sampled frame the row of `frames`, -1 where the face is not there.
    tracks : tuple of FaceTrack
        Summary of each track.
    """

    times: NDArray[np.float64]
    frames: NDArray[np.float32]
    rows: dict[int, NDArray[np.intp]]
    tracks: tuple[FaceTrack, ...]

    @property
    def most_prominent(self) -> int | None:
        """The track that is large, long in view and surely a face; None without any."""
        best = max(self.tracks, key=lambda t: (t.prominence, -t.id), default=None)
        return None if best is None else best.id


def embed_faces(
    stream: Iterable[FrameFaces], encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> EmbeddedFaces:
    """Embed the crops of a stream of frames in batches; no more crops than a batch are held.

    Parameters
    ----------
    stream : iterable of FrameFaces
        In order of time.
    encode : callable
        Crops (N, S, S, 3) to embeddings (N, D).
    """
    table = TrackTable()
    times: list[float] = []
    found: dict[int, dict[int, int]] = {}
    crops: list[NDArray[np.uint8]] = []
    parts: list[NDArray[np.float32]] = []
    n = 0
    for at, frame in enumerate(stream):
        table.add(frame)
        times.append(frame.time)
        for face in frame.faces:
            found.setdefault(face.track, {})[at] = n
            crops.append(face.crop)
            n += 1
        if len(crops) >= _BATCH:
            parts.append(encode(np.stack(crops)))
            crops = []
    if crops:
        parts.append(encode(np.stack(crops)))
    rows = {}
    for track, places in sorted(found.items()):
        rows[track] = np.full(len(times), -1, np.intp)
        rows[track][list(places)] = list(places.values())
    tracks = tuple(
        FaceTrack(s.track, s.first, s.last, s.n_frames, s.n_frames / len(times), s.prominence)
        for s in table.stats()
    )
    frames = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
    return EmbeddedFaces(np.asarray(times), frames, rows, tracks)


def span_windows(rows: NDArray[np.intp], n_frames: int) -> list[NDArray[np.intp]]:
    """Cover the time in which a track is in view by clips of the model's span.

    Parameters
    ----------
    rows : ndarray, (T,)
        One track of :attr:`EmbeddedFaces.rows`.
    n_frames : int
        Frames of a clip.

    Returns
    -------
    list of ndarray
        Rows of each clip, -1 in gaps; clips without any face are left out.
    """
    present = np.flatnonzero(rows >= 0)
    if not len(present):
        return []
    view = rows[present[0] : present[-1] + 1]
    clips = [view[start:stop] for start, stop in windows(len(view), n_frames)]
    return [clip for clip in clips if (clip >= 0).any()]


def window_clip(rows: NDArray[np.intp], n_frames: int) -> NDArray[np.intp]:
    """Make a clip of one window of a track: it begins and ends with the face.

    A window that holds more frames than the model's span is thinned evenly, without its gaps.
    """
    present = np.flatnonzero(rows >= 0)
    if not len(present):
        return rows[:0]
    view = rows[present[0] : present[-1] + 1]
    if len(view) <= n_frames:
        return view
    return rows[present[uniform(len(present), n_frames)]]
