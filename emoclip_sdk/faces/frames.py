"""From sampled frames to the face crops of every person, as a stream.

Detection is the slow step, so it runs on key frames: every n-th, and not too far apart in time. In
the frames between, a detector that can follow looks only where the faces are expected; with another
one, boxes are interpolated. Where the people of two such key frames differ, or somebody is lost on
the way, the frames between are looked at one by one: a gap begins and ends at the right frame. Some
key frames are looked at together; how many frames are held meanwhile is bounded by their number and
by their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..video.source import Frame
from .crop import center_crop, face_crop
from .detector import Box, Detection, FaceDetector, FaceFollower, MTCNNDetector
from .tracking import IN_PLACE, Look, Track, Tracker, interpolate, iou, look_at, same_shot

__all__ = ["Face", "FrameFaces", "face_frames"]

# Key frames that are looked at together, and the pictures that may wait for it.
LOOK_AHEAD = 8
LOOK_AHEAD_BYTES = 100_000_000
# Seconds after which a face is looked for anew, however few frames were sampled meanwhile.
LONGEST_FOLLOWED = 1.2
# Frames between two key frames wait for the second one: not for long where it is urgent.
EVERY_AT_ONCE = 4


@dataclass(frozen=True)
class Face:
    """One person's face in one frame.

    Parameters
    ----------
    track : int
        Number of the person, from 0 in order of appearance.
    box : tuple of float
        x0, y0, x1, y1 in pixels of the full frame, without the margin of the crop.
    confidence : float
        Of the detector; interpolated where the box is.
    detected : bool
        The face was seen in this very frame. False: the box is interpolated.
    crop : ndarray, shape (S, S, 3), uint8
        The face with its margin.
    """

    track: int
    box: Box
    confidence: float
    detected: bool
    crop: NDArray[np.uint8]


@dataclass(frozen=True)
class FrameFaces:
    """The faces of one sampled frame.

    Parameters
    ----------
    index, time
        As in :class:`~emoclip_sdk.video.Frame`.
    faces : tuple of Face
        In order of their track numbers. Empty: nobody is there.
    size : (int, int)
        Width and height of the frame in pixels, which make box areas comparable.
    """

    index: int
    time: float
    faces: tuple[Face, ...]
    size: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class _Sight:
    """A track in a frame."""

    track: Track
    box: Box
    confidence: float
    detected: bool
    seed: Box | None


@dataclass
class _Slot:
    """A frame that waits until it is known who is in it. `cut`: a new shot begins here."""

    frame: Frame
    cut: bool
    sights: list[_Sight] = field(default_factory=list)

    def find(self, track: Track) -> _Sight | None:
        return next((s for s in self.sights if s.track is track), None)


def face_frames(
    frames: Iterable[Frame],
    config: FaceConfig,
    *,
    size: int,
    detector: FaceDetector | None = None,
    at_once: bool = False,
) -> Iterator[FrameFaces]:
    """Detect, track and crop faces, frame by frame, in constant memory.

    Parameters
    ----------
    frames : iterable of Frame
        Sampled frames in order of time.
    config : FaceConfig
        With ``detector="none"``, the middle square of every frame is track 0 at confidence 1.
    size : int
        Side of the crops in pixels.
    detector : FaceDetector, optional
        Used instead of a new :class:`MTCNNDetector`; pass one to load its weights only once.
    at_once : bool
        Look at each key frame when it comes, and not at several together; at every fourth frame at
        least.

    Yields
    ------
    FrameFaces
        One per frame, up to `LOOK_AHEAD` times `config.detect_every` frames later than it was read
        (with `at_once`: once that). A detection that neither the frame before nor the one after
        confirms is taken for an error and left out.
    """
    if config.detector == "none":
        for frame in frames:
            height, width = frame.rgb.shape[:2]
            box = (0.0, 0.0, float(width), float(height))
            face = Face(0, box, 1.0, True, center_crop(frame.rgb, size))
            yield FrameFaces(frame.index, frame.time, (face,), (width, height))
        return
    line = _Line(config, detector or MTCNNDetector(config))
    every = max(config.detect_every, 1)
    if at_once:
        every = min(every, EVERY_AT_ONCE)
    for groups in _in_groups(frames, every, 1 if at_once else LOOK_AHEAD):
        for slot in line.extend(groups):
            yield _cropped(slot, config.margin, size)
    for slot in line.finish():
        yield _cropped(slot, config.margin, size)


def _in_groups(frames: Iterable[Frame], every: int, at_most: int) -> Iterator[list[list[Frame]]]:
    """Cut frames into groups that end with a key frame, and yield some groups at a time.

    The first frame is a key frame, and so is the last. A detector is quicker on several pictures at
    once; how many frames wait for each other depends on their size alone. Of frames so large that a
    few of them fill the memory, more are key frames.
    """
    groups: list[list[Frame]] = []
    group: list[Frame] = []
    due = -math.inf
    for frame in frames:
        group.append(frame)
        room = LOOK_AHEAD_BYTES // max(frame.rgb.nbytes, 1)  # frames
        if frame.time >= due or len(group) >= min(every, room):
            groups.append(group)
            group = []
            due = frame.time + LONGEST_FOLLOWED
            if len(groups) >= min(max(room // every, 1), at_most):
                yield groups
                groups = []
    if group:
        groups.append(group)
    if groups:
        yield groups


class _Line:
    """Frames in the order in which they are finished: key frames, and those between them."""

    def __init__(self, config: FaceConfig, detector: FaceDetector) -> None:
        self._config = config
        self._detector = detector
        self._tracker = Tracker()
        self._people = 0
        self._before: _Slot | None = None  # the last slot that was given out
        self._slots: list[_Slot] = []

    def extend(self, groups: list[list[Frame]]) -> Iterator[_Slot]:
        """Take groups of frames, the last of each a key frame; give out all but the last one."""
        for frames, found in zip(groups, self._detect([g[-1] for g in groups]), strict=True):
            yield from self._extend(frames, found)

    def _extend(self, frames: list[Frame], detections: list[Detection]) -> Iterator[_Slot]:
        *between, key = frames
        looks = look_at(key, detections)
        old = self._slots[-1] if self._slots else None
        cut = old is not None and not same_shot(old.frame.rgb, key.rgb)
        if not between:
            self._seen(key, cut, looks)
        elif old is not None and not cut and (slots := self._settled(old, between, key, looks)):
            self._slots += slots
            self._seen(key, False, looks)
        else:
            latest = old.frame if old is not None else between[0]
            for frame, found in zip(between, self._detect(between), strict=True):
                shot = same_shot(latest.rgb, frame.rgb)
                self._seen(frame, not shot, look_at(frame, found))
                latest = frame
            self._seen(key, not same_shot(latest.rgb, key.rgb), looks)
        yield from self._give(len(self._slots) - 1)

    def finish(self) -> Iterator[_Slot]:
        """Give out what is left."""
        yield from self._give(len(self._slots))

    def _detect(self, frames: list[Frame]) -> list[list[Detection]]:
        found = self._detector.detect([frame.rgb for frame in frames])
        return [[d for d in faces if self._usable(d)] for faces in found]

    def _usable(self, detection: Detection) -> bool:
        x0, y0, x1, y1 = detection.box
        return (
            detection.confidence >= self._config.min_confidence
            and all(map(math.isfinite, detection.box))
            and x1 - x0 >= 1
            and y1 - y0 >= 1
        )

    def _seen(self, frame: Frame, cut: bool, looks: list[Look]) -> None:
        tracks = self._tracker.update(looks, frame.time)
        sights = [_sight(track, look.detection) for track, look in zip(tracks, looks, strict=True)]
        self._slots.append(_Slot(frame, cut, sights))

    def _settled(
        self, old: _Slot, between: list[Frame], key: Frame, looks: list[Look]
    ) -> list[_Slot] | None:
        """Fill the frames between two key frames; None where they must be looked at one by one."""
        pairs = self._tracker.continued(looks, key.time)
        if pairs is None:
            return None
        slots = [_Slot(frame, False) for frame in between]
        ends = [(old.find(track), _sight(track, detection)) for track, detection in pairs]
        for slot in slots:
            slot.sights = [
                _between(start, old.frame, end, key, slot.frame)
                for start, end in ends
                if start is not None
            ]
        if isinstance(self._detector, FaceFollower):
            return slots if self._follow(self._detector, slots) else None
        near = all(iou(track.box, detection.box) >= IN_PLACE for track, detection in pairs)
        return slots if near else None

    def _follow(self, detector: FaceFollower, slots: list[_Slot]) -> bool:
        """Put interpolated boxes right, in place; tell whether every face is really there."""
        sights = [(slot.frame.rgb, s) for slot in slots for s in slot.sights]
        if not sights:
            return True
        found = detector.follow([rgb for rgb, _ in sights], [s.seed or s.box for _, s in sights])
        if not all(map(self._usable, found)):
            return False
        moved = iter(found)
        for slot in slots:
            slot.sights = [_sight(sight.track, next(moved)) for sight in slot.sights]
        return True

    def _give(self, count: int) -> Iterator[_Slot]:
        """Finish the first `count` slots; each one has its neighbours when its turn comes."""
        for _ in range(count):
            slot = self._slots.pop(0)
            after = self._slots[0] if self._slots else None
            self._fill(slot, after)
            slot.sights = [s for s in slot.sights if self._believed(s, slot, after)]
            new = [s for s in slot.sights if s.track.number is None]
            for sight in sorted(new, key=_prominence, reverse=True):
                sight.track.number = self._people
                self._people += 1
            self._before = slot
            yield slot

    def _fill(self, slot: _Slot, after: _Slot | None) -> None:
        """Put back a face that the detector missed in a single frame."""
        before = self._before
        if before is None or after is None or slot.cut or after.cut:
            return
        for sight in after.sights:
            start = before.find(sight.track)
            if start is not None and slot.find(sight.track) is None:
                slot.sights.append(_between(start, before.frame, sight, after.frame, slot.frame))

    def _believed(self, sight: _Sight, slot: _Slot, after: _Slot | None) -> bool:
        """Refuse a track of one frame, unless the shot itself is only that long."""
        if sight.track.number is not None or sight.track.hits > 1:
            return True
        alone_before = self._before is None or slot.cut
        alone_after = after is None or after.cut
        return alone_before and alone_after


def _between(start: _Sight, first: Frame, end: _Sight, last: Frame, frame: Frame) -> _Sight:
    span = last.time - first.time
    share = (frame.time - first.time) / span if span > 0 else 0.5
    confidence = (1 - share) * start.confidence + share * end.confidence
    seed = interpolate(start.seed, end.seed, share) if start.seed and end.seed else None
    return _Sight(end.track, interpolate(start.box, end.box, share), confidence, False, seed)


def _sight(track: Track, detection: Detection) -> _Sight:
    return _Sight(track, detection.box, detection.confidence, True, detection.seed)


def _prominence(sight: _Sight) -> float:
    x0, y0, x1, y1 = sight.box
    return (x1 - x0) * (y1 - y0) * sight.confidence


def _cropped(slot: _Slot, margin: float, size: int) -> FrameFaces:
    rgb = slot.frame.rgb
    faces = [
        Face(
            s.track.number or 0,
            s.box,
            s.confidence,
            s.detected,
            face_crop(rgb, s.box, size, margin),
        )
        for s in slot.sights
    ]
    faces.sort(key=lambda face: face.track)
    return FrameFaces(slot.frame.index, slot.frame.time, tuple(faces), (rgb.shape[1], rgb.shape[0]))
