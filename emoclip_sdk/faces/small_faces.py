"""When to look for small faces, which takes many times as long as to look for the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from .detector import Detection, FaceDetector, SmallFaceDetector

__all__ = ["SmallFaceSearch", "require_min_face"]

# Shares of the picture's long side. Below the first, a face says that there may be smaller ones,
# and from the second on these are looked for: 48 pixels of a picture 1920 pixels wide.
SMALL, SMALLEST = 1 / 16, 1 / 40
LEAST = 20.0  # pixels: the smallest face that a detector is asked for by itself
MAX_WAIT = 3  # pictures that are not looked at so closely, where that found nobody before


class SmallFaceSearch:
    """Detects the faces of a video's frames, and the small ones where they are to be expected.

    Where a detector finds nobody, or a small face, it looks at the frame once more, for smaller
    ones: a video call of many, a stage, a classroom. As long as that adds no face, only some of
    these frames are looked at so closely, so that empty pictures don't take long. Frames in which
    every face is large are never looked at twice.

    Parameters
    ----------
    detector : FaceDetector
        One that is no :class:`SmallFaceDetector` finds what it finds.
    min_confidence : float
        Detections below are none.
    min_face : float, optional
        Side in pixels of the smallest face, for every frame.
    """

    def __init__(
        self, detector: FaceDetector, min_confidence: float, min_face: float | None = None
    ) -> None:
        self._detector = detector
        self._min_confidence = min_confidence
        self._min_face = min_face
        self._wait = self._skip = 0  # frames

    def __call__(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of frames (H, W, 3) that follow one another."""
        detector = self._detector
        if not isinstance(detector, SmallFaceDetector):
            return self._usable(detector.detect(frames))
        if self._min_face is not None:
            return self._usable(detector.detect_small(frames, self._min_face))
        found = self._usable(detector.detect(frames))
        return [
            self._closer(detector, rgb, faces) for rgb, faces in zip(frames, found, strict=True)
        ]

    def _closer(
        self, detector: SmallFaceDetector, rgb: NDArray[np.uint8], faces: list[Detection]
    ) -> list[Detection]:
        """Look at a frame once more, if there may be small faces."""
        longest = max(rgb.shape[:2])
        if faces and min(_side(face) for face in faces) >= SMALL * longest:
            return faces
        if self._skip:
            self._skip -= 1
            return faces
        (closer,) = self._usable(detector.detect_small([rgb], max(SMALLEST * longest, LEAST)))
        self._wait = 0 if len(closer) > len(faces) else min(2 * self._wait + 1, MAX_WAIT)
        self._skip = self._wait
        return closer if len(closer) > len(faces) else faces

    def _usable(self, found: list[list[Detection]]) -> list[list[Detection]]:
        return [[d for d in faces if d.is_usable(self._min_confidence)] for faces in found]


def require_min_face(detector: FaceDetector | None, detects: bool, min_face: float | None) -> None:
    """Refuse a smallest face where no detector can be told of it.

    Parameters
    ----------
    detector : FaceDetector, optional
        None: MTCNN.
    detects : bool
        Faces are looked for at all.
    min_face : float, optional

    Raises
    ------
    EmoCLIPError
        Nothing would be looked for, or the detector is no :class:`SmallFaceDetector`.
    """
    if min_face is None:
        return
    if not detects:
        raise EmoCLIPError(
            f"min_face={min_face:g} is for videos in which faces are looked for, and here the "
            "frames are face crops already (faces='none'): leave one of the two out"
        )
    if detector is not None and not isinstance(detector, SmallFaceDetector):
        raise EmoCLIPError(
            f"the detector {type(detector).__name__} can't be told min_face={min_face:g}: it has "
            "no method detect_small(frames, min_face)"
        )


def _side(face: Detection) -> float:
    x0, y0, x1, y1 = face.box
    return (x1 - x0 + y1 - y0) / 2
