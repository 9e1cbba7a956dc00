"""Joining detections of successive frames into tracks, one per person.

Greedy matching by overlap, predicted position and appearance. The appearance is a thumbnail of
8 x 8 pixels about the face (hair, skin, collar, background): on talking-head video, thumbnails of
one person 0.6 s apart correlate at 0.75 and more, those of different people rarely above 0.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..video.source import Frame
from .boxes import Box, area, center, iou
from .crop import face_crop
from .detector import Detection

__all__ = [
    "MAX_GAP",
    "MIN_OVERLAP",
    "Candidate",
    "Track",
    "Tracker",
    "same_shot",
    "with_appearance",
]

MAX_GAP = 2.0
"""Seconds for which a lost face is remembered; after that it is a new person."""

MIN_OVERLAP = 0.3
"""Intersection over union from which on two boxes are taken to be in the same place."""

MIN_SIZE_RATIO = 0.4
# Gate: how far a center may be from its prediction, in face sides, and more for each second.
REACH, REACH_PER_SECOND, MAX_REACH = 0.75, 1.0, 1.75
# Correlation of thumbnails that a match needs: where the boxes overlap, and where they don't.
MIN_SIMILARITY_IN_PLACE, MIN_SIMILARITY = 0.3, 0.6
THUMBNAIL_SIDE = 64  # pixels of a face from which its thumbnail is made
MAX_EXTRAPOLATION = 0.5  # seconds for which a face is believed to keep its velocity
SAME_SHOT = 0.3  # correlation of whole frames below which there was a cut

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A detection with its appearance, to be matched with the tracks."""

    detection: Detection
    thumbnail: _FloatArray


@dataclass
class Track:
    """A person as followed so far.

    Attributes
    ----------
    box, time, thumbnail
        Of the last detection.
    mean_thumbnail
        Running mean over the last second or so: how the face looked before it was covered.
    hits : int
        Frames in which it was detected.
    number : int or None
        The public track id; given when the track is confirmed.
    velocity : (float, float)
        Of the center, in pixels a second.
    until : float
        Until when it was seen, in seconds, if it is not in view: a frame is seen until the next.
    """

    box: Box
    time: float
    thumbnail: _FloatArray
    mean_thumbnail: _FloatArray
    hits: int = 1
    number: int | None = None
    velocity: tuple[float, float] = field(default=(0.0, 0.0))
    until: float = -math.inf

    def predict(self, time: float) -> Box:
        """Return the box at a later time, at constant velocity."""
        ahead = min(time - self.time, MAX_EXTRAPOLATION)
        x, y = self.velocity[0] * ahead, self.velocity[1] * ahead
        x0, y0, x1, y1 = self.box
        return x0 + x, y0 + y, x1 + x, y1 + y

    def update(self, candidate: Candidate, time: float) -> None:
        """Add a detection."""
        step = time - self.time
        if step > 0:
            (x0, y0), (x1, y1) = center(self.box), center(candidate.detection.box)
            # Halved with the old value: detectors jitter by some per cent of the face.
            self.velocity = (
                (self.velocity[0] + (x1 - x0) / step) / 2,
                (self.velocity[1] + (y1 - y0) / step) / 2,
            )
        self.box = candidate.detection.box
        self.time = time
        self.thumbnail = candidate.thumbnail
        self.mean_thumbnail = _normalized(
            0.8 * self.mean_thumbnail + 0.2 * candidate.thumbnail, flat=0.0
        )
        self.hits += 1


class Tracker:
    """Keeps the tracks of one video."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._latest: list[Track] = []

    def match(
        self, candidates: Sequence[Candidate], time: float
    ) -> list[tuple[Track, Detection]] | None:
        """Pair the tracks of the last frame with the detections of a later one.

        None where a person is new or gone. Nothing is changed.
        """
        pairs = _greedy(self._latest, candidates, time)
        if not len(pairs) == len(candidates) == len(self._latest):
            return None
        return [(track, candidates[i].detection) for track, i in pairs]

    def update(self, candidates: Sequence[Candidate], time: float) -> list[Track]:
        """Continue tracks by the detections of the next frame, or begin new ones.

        Returns
        -------
        list of Track
            The track of each detection.
        """
        for track in self._latest:  # what the last frame showed was on the screen until now
            track.until = time
        self._tracks = [t for t in self._tracks if time - t.until <= MAX_GAP]
        owner: dict[int, Track] = {i: t for t, i in _greedy(self._latest, candidates, time)}
        # Tracks in view come first: a face that was lost a second ago can't take their place.
        free = [i for i in range(len(candidates)) if i not in owner]
        lost = [t for t in self._tracks if not any(t is other for other in self._latest)]
        for track, k in _greedy(lost, [candidates[i] for i in free], time):
            owner[free[k]] = track
        tracks = []
        for i, candidate in enumerate(candidates):
            if i in owner:
                owner[i].update(candidate, time)
            else:
                owner[i] = Track(
                    candidate.detection.box, time, candidate.thumbnail, candidate.thumbnail
                )
                self._tracks.append(owner[i])
            tracks.append(owner[i])
        self._latest = tracks
        return tracks


def with_appearance(frame: Frame, detections: Sequence[Detection]) -> list[Candidate]:
    """Add the appearance to the detections of a frame."""
    candidates = []
    for detection in detections:
        # Of a large face every n-th pixel is enough for 8 x 8 averages.
        step = max(1, int(area(detection.box) ** 0.5) // THUMBNAIL_SIDE)
        x0, y0, x1, y1 = (value / step for value in detection.box)
        coarse = frame.rgb[::step, ::step]
        picture = face_crop(coarse, (x0, y0, x1, y1), 8, margin=0.4).astype(np.float64)
        candidates.append(Candidate(detection, _normalized(picture)))
    return candidates


def same_shot(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Return whether two (H, W, 3) frames belong to one shot, by their coarse layout."""
    if a.shape != b.shape:
        return False
    rows, columns = max(1, a.shape[0] // 36), max(1, a.shape[1] // 64)
    coarse = [_normalized(x[::rows, ::columns].astype(np.float64)) for x in (a, b)]
    return _correlation(*coarse) >= SAME_SHOT


def _greedy(
    tracks: Sequence[Track], candidates: Sequence[Candidate], time: float
) -> list[tuple[Track, int]]:
    """Pair tracks and detections, best pair first."""
    scored = []
    for t, track in enumerate(tracks):
        for i, candidate in enumerate(candidates):
            score = _score(track, candidate, time)
            if score is not None:
                scored.append((-score, t, i))
    pairs: list[tuple[Track, int]] = []
    matched_tracks: set[int] = set()
    matched_candidates: set[int] = set()
    for _, t, i in sorted(scored):
        if t not in matched_tracks and i not in matched_candidates:
            matched_tracks.add(t)
            matched_candidates.add(i)
            pairs.append((tracks[t], i))
    return pairs


def _score(track: Track, candidate: Candidate, time: float) -> float | None:
    """Return how well a detection continues a track; None if it can't."""
    box = candidate.detection.box
    old_side, new_side = area(track.box) ** 0.5, area(box) ** 0.5
    if min(old_side, new_side) < MIN_SIZE_RATIO * max(old_side, new_side):
        return None
    predicted = track.predict(time)
    (x, y), (new_x, new_y) = center(predicted), center(box)
    distance = float(np.hypot(new_x - x, new_y - y)) / max((old_side + new_side) / 2, 1e-9)
    reach = min(REACH + REACH_PER_SECOND * (time - track.time), MAX_REACH)
    if distance > reach:
        return None
    overlap = max(iou(track.box, box), iou(predicted, box))
    similarity = max(
        _correlation(known, candidate.thumbnail)
        for known in (track.thumbnail, track.mean_thumbnail)
    )
    if similarity < (MIN_SIMILARITY_IN_PLACE if overlap >= MIN_OVERLAP else MIN_SIMILARITY):
        return None
    return float(overlap + similarity + 0.5 * (1 - distance / reach))


def _normalized(picture: _FloatArray, *, flat: float = 1.0) -> _FloatArray:
    """Bring a picture to zero mean and unit length.

    One that varies by less than `flat` says nothing: it becomes zero instead of amplified noise.
    """
    values = picture.ravel() - picture.mean()
    norm = float(np.linalg.norm(values))
    return values / norm if norm > flat * values.size**0.5 else np.zeros_like(values)


def _correlation(a: _FloatArray, b: _FloatArray) -> float:
    if not a.any() and not b.any():
        return 1.0
    return float(a @ b)
