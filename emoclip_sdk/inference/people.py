"""What a caller says of people, and what their reference photos look like."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError, VideoError
from ..faces import TrackIdentity, TrackPerson, join_people
from ..faces.identities import identity_weights
from .options import ReadOptions
from .stream import VideoFaces

if TYPE_CHECKING:
    from .reader import FaceReader

__all__ = [
    "KnownPeople",
    "PeopleChoice",
    "PeopleOfVideos",
    "check_people",
    "known_people",
    "track_identities",
]

Photo = str | os.PathLike[str]
PeopleChoice = bool | Mapping[str, Photo | Sequence[Photo]]
"""Whether tracks are joined to persons; or names, and one or several photos of each."""
KnownPeople = dict[str, list[NDArray[np.float32]]]
"""Names, and vectors of photos."""


class _WithPeople(Protocol):
    def with_people(self: R, people: Mapping[int, TrackPerson]) -> R: ...


R = TypeVar("R", bound=_WithPeople)
_NUMBERED = re.compile(r"person \d+")


def check_people(people: Any) -> dict[str, list[str]] | None:
    """Return the photos of each name; None where persons are not asked for. Nothing is read.

    Raises
    ------
    EmoCLIPError
        It is no such choice.
    MissingDependencyError
        The network's weights are not installed.
    """
    if people is False or people is None:
        return None
    if people is not True and not isinstance(people, Mapping):
        raise EmoCLIPError(
            "people must be True, False, or names with photos, such as {'Anna': 'anna.jpg'}, "
            f"not {people!r}"
        )
    named: dict[str, list[str]] = {}
    for name, photos in () if people is True else people.items():
        if not isinstance(name, str) or not name.strip():
            raise EmoCLIPError(f"people: {name!r} is no name")
        if _NUMBERED.fullmatch(name):
            raise EmoCLIPError(f"people: those without a photo are called '{name}': use a name")
        given = [photos] if isinstance(photos, str | os.PathLike) else photos
        if not isinstance(given, Sequence) or not given:
            raise EmoCLIPError(f"people: {name!r} needs a photo, or a list of them")
        named[name] = [os.fsdecode(photo) for photo in given]
    identity_weights()
    return named


class PeopleOfVideos:
    """Collects what the faces of one or several videos look like, and says who they are.

    Parameters
    ----------
    choice : PeopleChoice
    reader : FaceReader
        Reads the reference photos, now.

    Attributes
    ----------
    asked : bool
        Whether persons are asked for at all.

    Raises
    ------
    EmoCLIPError
        As by :func:`check_people` and :func:`known_people`.
    """

    def __init__(self, choice: PeopleChoice, reader: FaceReader) -> None:
        photos = check_people(choice)
        self.asked = photos is not None
        self._known = known_people(photos or {}, reader)
        self._videos: list[Sequence[TrackIdentity]] = []

    def add(self, video: VideoFaces[Any] | None) -> None:
        """Take in a video that was read to its end; None: one that can't be read."""
        identities = None if video is None else video.identities
        self._videos.append(() if identities is None else identities())

    def told(self, results: R | list[R]) -> R | list[R]:
        """Return the results of these videos, with who is who."""
        if not self.asked:
            return results
        who = join_people(self._videos, self._known)
        if not isinstance(results, list):
            return results.with_people(who[0])
        return [result.with_people(each) for result, each in zip(results, who, strict=True)]


def known_people(photos: Mapping[str, Sequence[str]], reader: FaceReader) -> KnownPeople:
    """Read reference photos.

    Raises
    ------
    EmoCLIPError
        A photo can't be read, shows more or less than one person, or this one not well enough.
    """
    return {name: [_photo(name, path, reader) for path in paths] for name, paths in photos.items()}


def _photo(name: str, path: str, reader: FaceReader) -> NDArray[np.float32]:
    try:
        seen = track_identities(reader, path)
    except VideoError as error:
        raise EmoCLIPError(f"the photo of {name}: {error}") from error
    if len(seen) != 1:
        found = f"{len(seen)} faces are" if seen else "no face is"
        raise EmoCLIPError(f"the photo of {name}: {path}: {found} in it; it takes one")
    if not seen[0].looks:
        raise EmoCLIPError(
            f"the photo of {name}: {path}: the face is too small, blurred, dark or turned away to "
            "know it by: use another one"
        )
    return seen[0].vector


def track_identities(
    reader: FaceReader, video: Any, start: float | None = None, end: float | None = None
) -> tuple[TrackIdentity, ...]:
    """Read a video, or a part of it, and return what its faces look like."""
    stream = reader.shapes(
        video, ReadOptions(start=start, end=end), reader.config.sampling.rate, people=True
    )
    for _ in stream:
        pass
    assert stream.identities is not None
    return stream.identities()
