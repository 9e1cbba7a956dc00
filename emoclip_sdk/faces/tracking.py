"""Joining detections of successive frames into tracks, one per person.

Greedy matching by overlap, predicted position and appearance. The appearance is a thumbnail of
8 x 8 pixels about the face (hair, skin, collar, background): on talking-head video, thumbnails of
one person 0.6 s apart correlate at 0.75 and more, those of different people rarely above 0.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..video.source import Frame
from .crop import face_crop
from .detector import Box, Detection

__all__ = [
    "IN_PLACE",
    "MAX_GAP",
    "Look",
    "Track",
    "Tracker",
    "interpolate",
    "iou",
    "look_at",
    "same_shot",
]

MAX_GAP = 2.0  # seconds for which a lost face is remembered; after that it is somebody new
MIN_SIZE_RATIO = 0.4
# How far a centre may be from where it was expected, in face sides: at once, and per second.
REACH, REACH_PER_SECOND, MAX_REACH = 0.75, 1.0, 1.75
# Appearance that a match needs: where the boxes overlap well, and where they don't.
ALIKE_IN_PLACE, ALIKE, IN_PLACE = 0.3, 0.6, 0.3
THUMBNAIL_SIDE = 64  # pixels of a face from which its thumbnail is made
MAX_EXTRAPOLATION = 0.5  # seconds for which a face is believed to keep its velocity
SAME_SHOT = 0.3  # correlation of whole frames below which there was a cut

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """One detection with its appearance."""

    detection: Detection
    thumbnail: _FloatArray


@dataclass
class Track:
    """A person as followed so far.

    Attributes
    ----------
    box, time, thumbnail
        Where, when and how last seen.
    usual
        Mean thumbnail of the last second or so: how the face looked before it was covered.
    hits : int
        Frames in which it was detected.
    number : int or None
        The public track id; given when the track is believed.
    """

    box: Box
    time: float
    thumbnail: _FloatArray
    usual: _FloatArray
    hits: int = 1
    number: int | None = None
    velocity: tuple[float, float] = field(default=(0.0, 0.0))

    def expected(self, time: float) -> Box:
        """Box at a later time, if it goes on as it did."""
        ahead = min(time - self.time, MAX_EXTRAPOLATION)
        x, y = self.velocity[0] * ahead, self.velocity[1] * ahead
        x0, y0, x1, y1 = self.box
        return x0 + x, y0 + y, x1 + x, y1 + y

    def see(self, look: Look, time: float) -> None:
        """Take in one more detection."""
        step = time - self.time
        if step > 0:
            (x0, y0), (x1, y1) = _center(self.box), _center(look.detection.box)
            # Halved with the old value: detectors jitter by some per cent of the face.
            self.velocity = (
                (self.velocity[0] + (x1 - x0) / step) / 2,
                (self.velocity[1] + (y1 - y0) / step) / 2,
            )
        self.box = look.detection.box
        self.time = time
        self.thumbnail = look.thumbnail
        self.usual = _normalised(0.8 * self.usual + 0.2 * look.thumbnail, flat=0.0)
        self.hits += 1


class Tracker:
    """Keeps the tracks of one video."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._latest: list[Track] = []

    def continued(self, looks: Sequence[Look], time: float) -> list[tuple[Track, Detection]] | None:
        """Pair the people of the last frame with the detections of a later one.

        None where somebody is new or gone. Nothing is changed.
        """
        pairs = _greedy(self._latest, looks, time)
        if not len(pairs) == len(looks) == len(self._latest):
            return None
        return [(track, looks[i].detection) for track, i in pairs]

    def update(self, looks: Sequence[Look], time: float) -> list[Track]:
        """Continue tracks by the detections of the next frame, or begin new ones.

        Returns
        -------
        list of Track
            The track of each detection.
        """
        self._tracks = [t for t in self._tracks if time - t.time <= MAX_GAP]
        owner: dict[int, Track] = {i: t for t, i in _greedy(self._latest, looks, time)}
        # Those in view come first: a face that was lost a second ago can't take their place.
        free = [i for i in range(len(looks)) if i not in owner]
        lost = [t for t in self._tracks if not any(t is other for other in self._latest)]
        for track, k in _greedy(lost, [looks[i] for i in free], time):
            owner[free[k]] = track
        seen = []
        for i, look in enumerate(looks):
            if i in owner:
                owner[i].see(look, time)
            else:
                owner[i] = Track(look.detection.box, time, look.thumbnail, look.thumbnail)
                self._tracks.append(owner[i])
            seen.append(owner[i])
        self._latest = seen
        return seen


def look_at(frame: Frame, detections: Sequence[Detection]) -> list[Look]:
    """Add the appearance to the detections of a frame."""
    found = []
    for detection in detections:
        # Of a large face every n-th pixel is enough for 8 x 8 averages.
        step = max(1, int(_area(detection.box) ** 0.5) // THUMBNAIL_SIDE)
        x0, y0, x1, y1 = (value / step for value in detection.box)
        coarse = frame.rgb[::step, ::step]
        picture = face_crop(coarse, (x0, y0, x1, y1), 8, margin=0.4).astype(np.float64)
        found.append(Look(detection, _normalised(picture)))
    return found


def same_shot(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Tell whether two (H, W, 3) frames belong together, by their coarse layout."""
    if a.shape != b.shape:
        return False
    rows, columns = max(1, a.shape[0] // 36), max(1, a.shape[1] // 64)
    coarse = [_normalised(x[::rows, ::columns].astype(np.float64)) for x in (a, b)]
    return _likeness(*coarse) >= SAME_SHOT


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(a) + _area(b) - shared)


def interpolate(a: Box, b: Box, share: float) -> Box:
    """Return the box `share` (0..1) of the way from `a` to `b`."""
    x0, y0, x1, y1 = ((1 - share) * p + share * q for p, q in zip(a, b, strict=True))
    return x0, y0, x1, y1


def _greedy(tracks: Sequence[Track], looks: Sequence[Look], time: float) -> list[tuple[Track, int]]:
    """Pair tracks and detections, best pair first."""
    scored = []
    for t, track in enumerate(tracks):
        for i, look in enumerate(looks):
            score = _score(track, look, time)
            if score is not None:
                scored.append((-score, t, i))
    pairs: list[tuple[Track, int]] = []
    taken_tracks: set[int] = set()
    taken_looks: set[int] = set()
    for _, t, i in sorted(scored):
        if t not in taken_tracks and i not in taken_looks:
            taken_tracks.add(t)
            taken_looks.add(i)
            pairs.append((tracks[t], i))
    return pairs


def _score(track: Track, look: Look, time: float) -> float | None:
    """How well a detection continues a track; None if it can't."""
    box = look.detection.box
    side_then, side_now = _area(track.box) ** 0.5, _area(box) ** 0.5
    if min(side_then, side_now) < MIN_SIZE_RATIO * max(side_then, side_now):
        return None
    expected = track.expected(time)
    (x, y), (x_now, y_now) = _center(expected), _center(box)
    distance = float(np.hypot(x_now - x, y_now - y)) / max((side_then + side_now) / 2, 1e-9)
    reach = min(REACH + REACH_PER_SECOND * (time - track.time), MAX_REACH)
    if distance > reach:
        return None
    overlap = max(iou(track.box, box), iou(expected, box))
    likeness = max(_likeness(known, look.thumbnail) for known in (track.thumbnail, track.usual))
    if likeness < (ALIKE_IN_PLACE if overlap >= IN_PLACE else ALIKE):
        return None
    return float(overlap + likeness + 0.5 * (1 - distance / reach))


def _normalised(picture: _FloatArray, *, flat: float = 1.0) -> _FloatArray:
    """Zero mean, unit length. A picture that varies by less than `flat` says nothing: it becomes
    zero instead of amplified noise.
    """
    values = picture.ravel() - picture.mean()
    norm = float(np.linalg.norm(values))
    return values / norm if norm > flat * values.size**0.5 else np.zeros_like(values)


def _likeness(a: _FloatArray, b: _FloatArray) -> float:
    if not a.any() and not b.any():
        return 1.0
    return float(a @ b)


def _center(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
