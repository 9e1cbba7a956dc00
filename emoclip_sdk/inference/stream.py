"""The faces of a video as frame embeddings, and which of its tracks a caller means."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Literal, TypeVar

from ..errors import EmoCLIPError, VideoError
from ..faces import TrackIdentity, TrackTable, most_prominent
from ..results.records import FaceTrack
from .frames import EmbeddedFrame

__all__ = ["FaceStream", "TrackChoice", "VideoFaces", "check_track", "choose_tracks", "one_face"]


F = TypeVar("F")
Identities = Callable[[], tuple[TrackIdentity, ...]]

TrackChoice = int | Literal["prominent", "all"]


def check_track(track: Any) -> TrackChoice:
    """Return `track`; refuse what no video could have, before any is read."""
    if track == "prominent" or track == "all":
        return track
    try:
        return operator.index(track)
    except TypeError:
        raise EmoCLIPError(f"track must be 'prominent', 'all' or a number, not {track!r}") from None


def one_face(track: Any, task: str) -> int | Literal["prominent"]:
    """Return `track`; refuse what no video could have, and all faces where `task` takes one."""
    checked = check_track(track)
    if checked == "all":
        raise EmoCLIPError(f"{task} takes one face per video: track='prominent' or a number")
    return checked


def choose_tracks(video: VideoFaces[Any], track: TrackChoice) -> list[int]:
    """Return the numbers of the tracks that `track` means; none where there is no face.

    To be asked when the stream was read to its end.

    Raises
    ------
    VideoError
        There are faces, but none of that number.
    """
    tracks = [track.track for track in video.tracks]
    if track == "all":
        return tracks
    if track == "prominent":
        best = video.most_prominent
        return [] if best is None else [best]
    if track not in tracks and tracks:
        listed = ", ".join(map(str, tracks))
        raise VideoError(video.name, f"there is no face track {track}; there are: {listed}")
    return [int(track)] if tracks else []


class VideoFaces(Generic[F]):
    """The faces of a video, frame by frame in order of time, read while they are asked for.

    Attributes
    ----------
    name : str
        File name or description of the source.
    table : TrackTable
        The faces that were met so far.
    origin : str, optional
        The file or folder that is read.
    identities : callable, optional
        Returns what the faces that were met so far look like. None: it was not asked for.
    """

    def __init__(
        self,
        name: str,
        frames: Iterable[F],
        table: TrackTable,
        duration: Callable[[], float | None],
        origin: str | None = None,
        identities: Identities | None = None,
    ) -> None:
        self.name = name
        self.origin = origin
        self._frames = frames
        self.table = table
        self.identities = identities
        self._duration = duration

    def __iter__(self) -> Iterator[F]:
        return iter(self._frames)

    @property
    def duration(self) -> float | None:
        """Length in seconds, as far as known; what was really there, after the last frame."""
        return self._duration()

    @property
    def tracks(self) -> tuple[FaceTrack, ...]:
        """A summary of each face that was met so far."""
        n = self.table.n_frames
        return tuple(
            FaceTrack(
                s.track,
                s.first,
                s.last,
                s.n_frames,
                s.n_frames / n,
                s.prominence,
                s.n_shapes / s.n_frames,
            )
            for s in self.table.stats()
        )

    @property
    def most_prominent(self) -> int | None:
        """The track that is large, long in view and surely a face; None without any."""
        best = most_prominent(self.table.stats())
        return None if best is None else best.track


class FaceStream(VideoFaces[EmbeddedFrame]):
    """The faces of a video as frame embeddings, in order of time, read while they are asked for.

    Attributes
    ----------
    name : str
        File name or description of the source.
    table : TrackTable
        The faces that were met so far.
    has_actions : bool
        Whether frames hold shapes and actions.
    """

    def __init__(
        self,
        name: str,
        frames: Iterable[EmbeddedFrame],
        table: TrackTable,
        duration: Callable[[], float | None],
        has_actions: bool = False,
        origin: str | None = None,
        identities: Identities | None = None,
    ) -> None:
        super().__init__(name, frames, table, duration, origin, identities)
        self.has_actions = has_actions

    def kept(self) -> FaceStream:
        """Read to the end, and return what can be gone through any number of times.

        Landmarks are left out: they would be most of it.
        """
        frames = [dataclasses.replace(frame, shapes={}) for frame in self._frames]
        return FaceStream(
            self.name,
            frames,
            self.table,
            self._duration,
            self.has_actions,
            self.origin,
            self.identities,
        )
