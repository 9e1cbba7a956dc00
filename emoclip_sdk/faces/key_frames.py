"""Detection on key frames, tracks in the frames between.

Detection is the slow step, so it runs on key frames: every n-th, and not too far apart in time. In
the frames between, a detector that can follow looks only where the faces are expected; with another
one, boxes are interpolated. Where the people of two such key frames differ, or somebody is lost on
the way, the frames between are detected one by one: a gap begins and ends at the right frame. Some
key frames are detected together; how many frames are held meanwhile is bounded by their number and
by their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..config import FaceConfig
from ..video.source import Frame
from .boxes import Box, interpolate, iou
from .detector import Detection, FaceDetector, FaceFollower
from .small_faces import SmallFaceSearch
from .tracking import MIN_OVERLAP, Candidate, Track, Tracker, same_shot, with_appearance

__all__ = ["KeyFrameTracker", "Observation", "TrackedFrame", "key_frame_groups"]

# Bytes of the pictures that may wait for a detector.
LOOK_AHEAD_BYTES = 100_000_000
# Seconds after which a face is detected anew, however few frames were sampled meanwhile.
MAX_KEY_FRAME_INTERVAL = 1.2
# So many frames between two key frames are halved, and not detected one by one, where the faces of
# these two do not explain them. (Where a model samples there are fewer.)
MANY_BETWEEN = 12


@dataclass(frozen=True)
class Observation:
    """A track in a frame; `seed` as in :class:`Detection`."""

    track: Track
    box: Box
    confidence: float
    detected: bool
    seed: Box | None


@dataclass
class TrackedFrame:
    """A frame and who is in it. `cut`: a new shot begins here."""

    frame: Frame
    cut: bool
    observations: list[Observation] = field(default_factory=list)

    def find(self, track: Track) -> Observation | None:
        """Return the observation of a track, or None."""
        return next((o for o in self.observations if o.track is track), None)


def key_frame_groups(
    frames: Iterable[Frame], every: int, at_most: int
) -> Iterator[list[list[Frame]]]:
    """Cut frames into groups that end with a key frame, and yield some groups at a time.

    The first frame is a key frame, and so is the last. A detector is quicker on several pictures at
    once; how many frames wait for each other depends on their size alone. Of frames so large that a
    few of them fill the memory, more are key frames.

    Parameters
    ----------
    frames : iterable of Frame
        In order of time.
    every : int
        Frames of a group at most.
    at_most : int
        Groups that are yielded together at most.
    """
    groups: list[list[Frame]] = []
    group: list[Frame] = []
    due = -math.inf
    for frame in frames:
        group.append(frame)
        capacity = LOOK_AHEAD_BYTES // max(frame.rgb.nbytes, 1)  # frames
        if frame.time >= due or len(group) >= min(every, capacity):
            groups.append(group)
            group = []
            due = frame.time + MAX_KEY_FRAME_INTERVAL
            if len(groups) >= min(max(capacity // every, 1), at_most):
                yield groups
                groups = []
    if group:
        groups.append(group)
    if groups:
        yield groups


class KeyFrameTracker:
    """Tracks of a video by detection on its key frames.

    Parameters
    ----------
    config : FaceConfig
        `min_confidence` is used here.
    detector : FaceDetector
    min_face : float, optional
        Side in pixels of the smallest face; see :class:`SmallFaceSearch`.
    """

    def __init__(
        self, config: FaceConfig, detector: FaceDetector, min_face: float | None = None
    ) -> None:
        self._config = config
        self._detector = detector
        self._search = SmallFaceSearch(detector, config.min_confidence, min_face)
        self._tracker = Tracker()
        self._n_tracks = 0
        self._previous: TrackedFrame | None = None  # the last frame that was yielded
        self._pending: list[TrackedFrame] = []

    def extend(self, groups: list[list[Frame]]) -> Iterator[TrackedFrame]:
        """Add groups of frames, the last of each a key frame; yield all frames but the last."""
        key_frames = [group[-1] for group in groups]
        for frames, detections in zip(groups, self._detect(key_frames), strict=True):
            yield from self._extend(frames, detections)

    def _extend(self, frames: list[Frame], detections: list[Detection]) -> Iterator[TrackedFrame]:
        *between, key = frames
        candidates = with_appearance(key, detections)
        old = self._pending[-1] if self._pending else None
        cut = old is not None and not same_shot(old.frame.rgb, key.rgb)
        if not between:
            self._track(key, cut, candidates)
        elif (
            old is not None
            and not cut
            and (filled := self._fill_between(old, between, key, candidates))
        ):
            self._pending += filled
            self._track(key, False, candidates)
        elif old is not None and len(between) >= MANY_BETWEEN:
            # Somebody moved far, comes or goes, or a shot begins: in which half?
            middle = len(between) // 2
            (more,) = self._detect([between[middle]])
            yield from self._extend(frames[: middle + 1], more)
            yield from self._extend(frames[middle + 1 :], detections)
            return
        else:
            latest = old.frame if old is not None else between[0]
            for frame, more in zip(between, self._detect(between), strict=True):
                shot = same_shot(latest.rgb, frame.rgb)
                self._track(frame, not shot, with_appearance(frame, more))
                latest = frame
            self._track(key, not same_shot(latest.rgb, key.rgb), candidates)
        yield from self._complete(len(self._pending) - 1)

    def finish(self) -> Iterator[TrackedFrame]:
        """Yield the frames that are left."""
        yield from self._complete(len(self._pending))

    def _detect(self, frames: list[Frame]) -> list[list[Detection]]:
        return self._search([frame.rgb for frame in frames])

    def _track(self, frame: Frame, cut: bool, candidates: list[Candidate]) -> None:
        tracks = self._tracker.update(candidates, frame.time)
        observations = [
            _observation(track, candidate.detection)
            for track, candidate in zip(tracks, candidates, strict=True)
        ]
        self._pending.append(TrackedFrame(frame, cut, observations))

    def _fill_between(
        self, old: TrackedFrame, between: list[Frame], key: Frame, candidates: list[Candidate]
    ) -> list[TrackedFrame] | None:
        """Track the frames between two key frames; None where each must be detected."""
        pairs = self._tracker.match(candidates, key.time)
        if pairs is None:
            return None
        filled = [TrackedFrame(frame, False) for frame in between]
        ends = [(old.find(track), _observation(track, detection)) for track, detection in pairs]
        for tracked in filled:
            tracked.observations = [
                _interpolated(start, old.frame, end, key, tracked.frame)
                for start, end in ends
                if start is not None
            ]
        if isinstance(self._detector, FaceFollower):
            return filled if self._follow(self._detector, filled) else None
        near = all(iou(track.box, detection.box) >= MIN_OVERLAP for track, detection in pairs)
        return filled if near else None

    def _follow(self, detector: FaceFollower, filled: list[TrackedFrame]) -> bool:
        """Correct interpolated boxes, in place; return whether every face was detected."""
        rgbs = [tracked.frame.rgb for tracked in filled for _ in tracked.observations]
        seeds = [o.seed or o.box for tracked in filled for o in tracked.observations]
        if not seeds:
            return True
        detections = detector.follow(rgbs, seeds)
        if not all(d.is_usable(self._config.min_confidence) for d in detections):
            return False
        corrected = iter(detections)
        for tracked in filled:
            tracked.observations = [
                _observation(o.track, next(corrected)) for o in tracked.observations
            ]
        return True

    def _complete(self, count: int) -> Iterator[TrackedFrame]:
        """Yield the first `count` frames, with gaps filled, errors removed and tracks numbered."""
        for _ in range(count):
            tracked = self._pending.pop(0)
            after = self._pending[0] if self._pending else None
            self._fill_gap(tracked, after)
            tracked.observations = [
                o for o in tracked.observations if self._is_confirmed(o, tracked, after)
            ]
            new = [o for o in tracked.observations if o.track.number is None]
            for observation in sorted(new, key=_prominence, reverse=True):
                observation.track.number = self._n_tracks
                self._n_tracks += 1
            self._previous = tracked
            yield tracked

    def _fill_gap(self, tracked: TrackedFrame, after: TrackedFrame | None) -> None:
        """Put back a face that the detector missed in a single frame."""
        before = self._previous
        if before is None or after is None or tracked.cut or after.cut:
            return
        for end in after.observations:
            start = before.find(end.track)
            if start is not None and tracked.find(end.track) is None:
                tracked.observations.append(
                    _interpolated(start, before.frame, end, after.frame, tracked.frame)
                )

    def _is_confirmed(
        self, observation: Observation, tracked: TrackedFrame, after: TrackedFrame | None
    ) -> bool:
        """Refuse a track of one frame, unless the shot itself is only that long."""
        if observation.track.number is not None or observation.track.hits > 1:
            return True
        first_of_shot = self._previous is None or tracked.cut
        last_of_shot = after is None or after.cut
        return first_of_shot and last_of_shot


def _interpolated(
    start: Observation, first: Frame, end: Observation, last: Frame, frame: Frame
) -> Observation:
    span = last.time - first.time
    share = (frame.time - first.time) / span if span > 0 else 0.5
    confidence = (1 - share) * start.confidence + share * end.confidence
    seed = interpolate(start.seed, end.seed, share) if start.seed and end.seed else None
    return Observation(end.track, interpolate(start.box, end.box, share), confidence, False, seed)


def _observation(track: Track, detection: Detection) -> Observation:
    return Observation(track, detection.box, detection.confidence, True, detection.seed)


def _prominence(observation: Observation) -> float:
    x0, y0, x1, y1 = observation.box
    return (x1 - x0) * (y1 - y0) * observation.confidence
