"""From tracks to persons: who is the same one again, in a video and in the videos of a study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .identities import TrackIdentity

__all__ = [
    "CERTAIN",
    "UNLIKELY",
    "MissingPerson",
    "TrackPerson",
    "join_people",
    "same_person",
]

MissingPerson = Literal["unsure", "low quality"]
"""Why a track has no person: it looks like one, but not surely so; or it is never seen well."""

CERTAIN = 0.9
"""Certainty that a person needs."""
UNLIKELY = 1 - CERTAIN
"""A face that is a known person with no more than this probability is somebody else."""

# Fitted by tools/measure_people.py to pairs of portraits of 25 people, as they are and worse.
_MIDDLE, _WIDTH = 0.5, 0.02
# A track counts as much as this many looks at most: the longest one must not be the person.
_MOST_LOOKS = 8
_TOGETHER = 4000  # groups whose distances are held at once: 64 MB

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TrackPerson:
    """Who a track is.

    Attributes
    ----------
    name : str, optional
        As a reference photo is called, or ``"person 1"``, ``"person 2"`` ... in the order of
        appearance. None: see `reason`.
    certainty : float
        In [0.9, 1]: how likely the track is this person and none of the others. NaN without one.
    reason : {"unsure", "low quality"}, optional
        Why there is no person.
    """

    name: str | None
    certainty: float = math.nan
    reason: MissingPerson | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        certainty = None if math.isnan(self.certainty) else self.certainty
        return {"name": self.name, "certainty": certainty, "reason": self.reason}

    def to_record(self) -> dict[str, Any]:
        """Return the columns of a table."""
        return {
            "person": self.name,
            "person_certainty": self.certainty,
            "person_reason": self.reason,
        }


def same_person(distance: float) -> float:
    """Return how likely two faces are one person, if that was as likely as not before.

    Parameters
    ----------
    distance : float
        Between their vectors.
    """
    return 1 / (1 + math.exp(min((distance - _MIDDLE) / _WIDTH, 700.0)))


@dataclass
class _Group:
    """Tracks that are one person.

    Attributes
    ----------
    total : ndarray, (128,)
        Sum of `weight` vectors.
    members : list of (int, int)
        Source and track of each.
    apart : set of (int, int)
        Those who are seen together with one of them.
    """

    total: _FloatArray
    weight: float
    members: list[tuple[int, int]] = field(default_factory=list)
    apart: set[tuple[int, int]] = field(default_factory=set)
    name: str | None = None

    @property
    def vector(self) -> _FloatArray:
        return self.total / self.weight

    def can_be(self, other: _Group) -> bool:
        """Whether both may be one person."""
        if self.name is not None and other.name is not None:
            return False
        return self.apart.isdisjoint(other.members) and other.apart.isdisjoint(self.members)

    def add(self, other: _Group) -> None:
        self.total = self.total + other.total
        self.weight += other.weight
        self.members += other.members
        self.apart |= other.apart
        self.name = self.name or other.name


def join_people(
    sources: Sequence[Sequence[TrackIdentity]],
    known: Mapping[str, Sequence[NDArray[np.floating]]] | None = None,
) -> list[dict[int, TrackPerson]]:
    """Join the tracks of one or several videos to persons, by what their faces look like.

    Those that are most alike are joined first, as long as they are one person with a probability of
    `CERTAIN`. Tracks of a video that are in some frame together never are. Who is neither surely
    the same as somebody nor surely somebody else is unsure.

    Parameters
    ----------
    sources : sequence of sequence of TrackIdentity
        The tracks of each video.
    known : mapping of str to sequence of ndarray (128,), optional
        Names, and vectors of photos.

    Returns
    -------
    list of dict of int to TrackPerson
        For each video, who its tracks are.
    """
    results = [
        {track.track: TrackPerson(None, reason="low quality") for track in tracks}
        for tracks in sources
    ]
    tracks = {
        (source, track.track): _group(source, track)
        for source, each in enumerate(sources)
        for track in each
        if track.looks
    }
    groups = [
        _Group(np.sum(vectors, axis=0, dtype=np.float64), len(vectors), name=name)
        for name, vectors in (known or {}).items()
    ]
    named = len(groups)
    # Joining changes a group, and what a track looks like is asked for again below.
    rest = [_group(source, t) for source, each in enumerate(sources) for t in each if t.looks]
    for start in range(0, len(rest), _TOGETHER):
        groups = _joined(groups + rest[start : start + _TOGETHER])
    # Names first, then who was seen longest: the others are held against them.
    groups[named:] = sorted(groups[named:], key=lambda group: -group.weight)
    persons: list[_Group] = []
    for group in groups:
        likely = max((_likeness(group, p) for p in persons if p.can_be(group)), default=0.0)
        if group.name is not None or likely <= UNLIKELY:
            persons.append(group)
        else:
            _tell(results, group.members, TrackPerson(None, reason="unsure"))
    vectors = np.stack([person.vector for person in persons]) if persons else np.zeros((0, 0))
    number = 0
    for person in sorted(persons, key=lambda person: min(person.members, default=(-1, -1))):
        sure = {
            member: _certainty(tracks, member, person, persons, vectors)
            for member in person.members
        }
        name = person.name
        if name is None and max(sure.values()) >= CERTAIN:
            number += 1
            name = f"person {number}"
        for member, certainty in sure.items():
            told = TrackPerson(name, round(certainty, 4))
            unsure = TrackPerson(None, reason="unsure")
            _tell(results, [member], told if certainty >= CERTAIN else unsure)
    return results


def _group(source: int, track: TrackIdentity) -> _Group:
    weight = min(track.looks, _MOST_LOOKS)
    apart = {(source, other) for other in track.together}
    return _Group(track.vector.astype(np.float64) * weight, weight, [(source, track.track)], apart)


def _tell(
    results: list[dict[int, TrackPerson]], members: Sequence[tuple[int, int]], who: TrackPerson
) -> None:
    for source, track in members:
        results[source][track] = who


def _joined(groups: list[_Group]) -> list[_Group]:
    """Join groups, the closest two first, until no two are surely one person."""
    n = len(groups)
    if n < 2:
        return groups
    groups = list(groups)
    vectors = np.stack([group.vector for group in groups])
    distances = np.full((n, n), np.inf, np.float32)
    for i in range(n):
        distances[i] = np.linalg.norm(vectors - vectors[i], axis=1)
    for i, j in _excluded(groups):
        distances[i, j] = distances[j, i] = np.inf
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    gap = distances[np.arange(n), nearest]
    alive = np.ones(n, bool)
    while True:
        i = int(gap.argmin())
        if not same_person(float(gap[i])) >= CERTAIN:
            return [group for group, there in zip(groups, alive, strict=True) if there]
        i, j = sorted((i, int(nearest[i])))
        groups[i].add(groups[j])
        alive[j] = False
        forbidden = ~alive | np.isinf(distances[i]) | np.isinf(distances[j])
        vectors[i] = groups[i].vector
        row = np.linalg.norm(vectors - vectors[i], axis=1).astype(np.float32)
        row[forbidden] = np.inf
        distances[i], distances[:, i] = row, row
        distances[j], distances[:, j] = np.inf, np.inf
        stale = np.flatnonzero((nearest == i) | (nearest == j) | (row < gap))
        for k in {i, j, *stale.tolist()}:
            nearest[k] = distances[k].argmin()
            gap[k] = distances[k, nearest[k]]


def _excluded(groups: Sequence[_Group]) -> list[tuple[int, int]]:
    """Return pairs of groups that can't be one person."""
    place = {member: i for i, group in enumerate(groups) for member in group.members}
    pairs = [
        (i, place[other])
        for i, group in enumerate(groups)
        for other in group.apart
        if other in place
    ]
    named = [i for i, group in enumerate(groups) if group.name is not None]
    return pairs + [(i, j) for i in named for j in named if i != j]


def _likeness(one: _Group, other: _Group) -> float:
    return same_person(math.dist(one.vector, other.vector))


def _certainty(
    tracks: Mapping[tuple[int, int], _Group],
    member: tuple[int, int],
    person: _Group,
    persons: Sequence[_Group],
    vectors: _FloatArray,
) -> float:
    """Return how likely a track is the person that it was joined to, and nobody else."""
    own = tracks[member]
    certainty = 1.0
    weight = person.weight - own.weight
    if weight > 0:
        others = _Group(person.total - own.total, weight)
        certainty = _likeness(own, others)
        # Somebody beside it may be the person as well: one of the two is.
        for rival in own.apart & tracks.keys():
            likely = _likeness(tracks[rival], others)
            chances = certainty * (1 - likely), likely * (1 - certainty)
            if sum(chances):
                certainty *= chances[0] / sum(chances)
    # Distances to all others at once; few of them are near.
    distances = np.linalg.norm(vectors - own.vector, axis=1)
    for i in np.argsort(distances)[:8]:
        if persons[i] is not person and persons[i].can_be(own):
            certainty *= 1 - same_person(float(distances[i]))
            break
    return certainty
