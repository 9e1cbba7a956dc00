"""From sampled frames to the face crops of every person, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..video.source import Frame
from .boxes import Box
from .crop import center_crop, face_crop
from .detector import FaceDetector
from .key_frames import KeyFrameTracker, TrackedFrame, key_frame_groups
from .mtcnn import MTCNNDetector

__all__ = ["Face", "FrameFaces", "face_frames"]

LOOK_AHEAD = 8  # key frames that are detected together
# Frames between two key frames wait for the second one: not for long `at_once`.
DETECT_EVERY_AT_ONCE = 4


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
        In order of their track numbers. Empty: nobody is in view.
    size : (int, int)
        Width and height of the frame in pixels, which make box areas comparable.
    """

    index: int
    time: float
    faces: tuple[Face, ...]
    size: tuple[int, int] = (1, 1)


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
        Detect each key frame when it comes, and not several together; every fourth frame at least.

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
    tracker = KeyFrameTracker(config, detector or MTCNNDetector(config))
    every = max(config.detect_every, 1)
    if at_once:
        every = min(every, DETECT_EVERY_AT_ONCE)
    for groups in key_frame_groups(frames, every, 1 if at_once else LOOK_AHEAD):
        for tracked in tracker.extend(groups):
            yield _cropped(tracked, config.margin, size)
    for tracked in tracker.finish():
        yield _cropped(tracked, config.margin, size)


def _cropped(tracked: TrackedFrame, margin: float, size: int) -> FrameFaces:
    rgb = tracked.frame.rgb
    faces = [
        Face(
            o.track.number or 0,
            o.box,
            o.confidence,
            o.detected,
            face_crop(rgb, o.box, size, margin),
        )
        for o in tracked.observations
    ]
    faces.sort(key=lambda face: face.track)
    return FrameFaces(
        tracked.frame.index, tracked.frame.time, tuple(faces), (rgb.shape[1], rgb.shape[0])
    )
