"""From sampled frames to the face crops of every person, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..runtime.threads import one_thread
from ..video.source import Frame
from .boxes import Box
from .crop import center_crop, face_crop
from .detector import FaceDetector
from .key_frames import LOOK_AHEAD_BYTES, KeyFrameTracker, TrackedFrame, key_frame_groups
from .mtcnn import MTCNNDetector
from .quality import FaceQuality, face_quality
from .shapes import FaceInFrame, FaceShape, Landmarker, ShapeFinder

__all__ = ["Face", "FrameFaces", "face_frames"]

LOOK_AHEAD = 8  # key frames that are detected together
CROPS_TOGETHER = 32  # frames that are crops already, where their shapes are looked for
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
    quality : FaceQuality, optional
        How well it can be seen.
    shape : FaceShape, optional
        Its landmarks and blendshapes. None: they were not asked for, or no face was seen where they
        were looked for.
    """

    track: int
    box: Box
    confidence: float
    detected: bool
    crop: NDArray[np.uint8]
    quality: FaceQuality | None = None
    shape: FaceShape | None = None


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
    landmarker: Landmarker | None = None,
    min_face: float | None = None,
    at_once: bool = False,
    serial: bool = False,
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
    landmarker : Landmarker, optional
        Finds the shape of each face, on the frames between key frames together.
    min_face : float, optional
        Side in pixels of the smallest face that is looked for. None: as
        :class:`~emoclip_sdk.faces.small_faces.SmallFaceSearch` decides.
    at_once : bool
        Detect each key frame when it comes, and not several together; every fourth frame at least.
    serial : bool
        Detect in one thread, which leaves the other cores to a decoder.

    Yields
    ------
    FrameFaces
        One per frame, up to `LOOK_AHEAD` times `config.detect_every` frames later than it was read
        (with `at_once`: once that). A detection that neither the frame before nor the one after
        confirms is taken for an error and left out.
    """
    if config.detector == "none":
        together = 1 if landmarker is None or at_once else CROPS_TOGETHER
        batches = _crops(frames, size, together)
    else:
        detector = detector or MTCNNDetector(config)
        tracker = KeyFrameTracker(config, detector, min_face)
        batches = _tracked(frames, config, size, tracker, at_once, serial)
    finder = None if landmarker is None else ShapeFinder(landmarker)
    for batch in batches:
        seen = batch if finder is None else _with_shapes(batch, finder)
        yield from (faces for _, faces in seen)


_Batch = list[tuple[Frame, FrameFaces]]


def _crops(frames: Iterable[Frame], size: int, together: int) -> Iterator[_Batch]:
    """Yield frames that are face crops, some at a time."""
    batch: _Batch = []
    for frame in frames:
        height, width = frame.rgb.shape[:2]
        box = (0.0, 0.0, float(width), float(height))
        crop = center_crop(frame.rgb, size)
        quality = face_quality(crop, box, (width, height))
        face = Face(0, box, 1.0, True, crop, quality)
        batch.append((frame, FrameFaces(frame.index, frame.time, (face,), (width, height))))
        if len(batch) >= min(together, LOOK_AHEAD_BYTES // max(frame.rgb.nbytes, 1)):
            yield batch
            batch = []
    yield batch


def _tracked(
    frames: Iterable[Frame],
    config: FaceConfig,
    size: int,
    tracker: KeyFrameTracker,
    at_once: bool,
    serial: bool,
) -> Iterator[_Batch]:
    """Yield frames whose faces are tracked, those of some key frames at a time."""
    every = max(config.detect_every, 1)
    if at_once:
        every = min(every, DETECT_EVERY_AT_ONCE)

    def cropped(tracked: Iterable[TrackedFrame]) -> _Batch:
        with one_thread() if serial else nullcontext():
            return [(t.frame, _cropped(t, config.margin, size)) for t in tracked]

    for groups in key_frame_groups(frames, every, 1 if at_once else LOOK_AHEAD):
        yield cropped(tracker.extend(groups))
    yield cropped(tracker.finish())


def _with_shapes(batch: _Batch, finder: ShapeFinder) -> _Batch:
    """Add the shape of each face."""
    shapes = iter(
        finder(
            [FaceInFrame(frame.rgb, f.track, f.box) for frame, seen in batch for f in seen.faces]
        )
    )
    return [
        (frame, replace(seen, faces=tuple(replace(f, shape=next(shapes)) for f in seen.faces)))
        for frame, seen in batch
    ]


def _cropped(tracked: TrackedFrame, margin: float, size: int) -> FrameFaces:
    rgb = tracked.frame.rgb
    frame_size = (rgb.shape[1], rgb.shape[0])
    faces = []
    for o in tracked.observations:
        crop = face_crop(rgb, o.box, size, margin)
        quality = face_quality(crop, o.box, frame_size, margin)
        faces.append(Face(o.track.number or 0, o.box, o.confidence, o.detected, crop, quality))
    faces.sort(key=lambda face: face.track)
    return FrameFaces(tracked.frame.index, tracked.frame.time, tuple(faces), frame_size)
