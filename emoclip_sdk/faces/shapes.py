"""The shape of every face that is tracked: where its landmark network has to look.

The tracker's box says where a face is, but not how it is turned, and a detector's box sits on each
person a little differently. So the first frame of a person is looked at twice, and the square that
its landmarks ask for, as it lies about the box, is used for the frames after it; a face that is
found out of place there is looked at once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .boxes import Box
from .regions import FaceRegion, region_from_box, region_from_landmarks

if TYPE_CHECKING:
    from .landmarks import FaceShapes

__all__ = ["FaceInFrame", "FaceShape", "Landmarker", "ShapeFinder", "crop_shapes"]

Landmarker = Callable[[Sequence[NDArray[np.uint8]], Sequence[FaceRegion]], "FaceShapes"]
"""Frames and regions to shapes: a :class:`~emoclip_sdk.faces.landmarks.FaceLandmarker`."""

MIN_PRESENCE = 0.5
"""Below it there is no face in the region (MediaPipe's default)."""

# A face is looked at again where its landmarks ask for another square than it was seen in: by its
# turn in degrees, its center as a share of the side, its side as a ratio; or where the network is
# not quite sure.
_MAX_TURN, _MAX_SHIFT, _MAX_SCALE, _SURE = 7.0, 0.05, 1.12, 0.9
# Landmarks farther from the box than this are not of the face that the tracker follows.
_FAR_SHIFT, _FAR_SCALE = 0.25, 1.5


@dataclass(frozen=True, eq=False)
class FaceShape:
    """The shape of one face in one frame.

    Parameters
    ----------
    landmarks : ndarray, shape (478, 3), float32
        x, y in pixels of the frame, pixel i covering [i, i + 1); z on the same scale, smaller
        towards the camera.
    presence : float
        The landmark network's probability that there is a face at all, 0.5 or more.
    blendshapes : ndarray, shape (52,), float32
        In [0, 1], in the order of :data:`emoclip_sdk.nn.blendshapes.BLENDSHAPES`.
    """

    landmarks: NDArray[np.float32]
    presence: float
    blendshapes: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FaceInFrame:
    """A tracked face whose shape is to be found.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The whole frame.
    track : int
    box : tuple of float
        x0, y0, x1, y1 in pixels of the frame.
    """

    rgb: NDArray[np.uint8]
    track: int
    box: Box


@dataclass(frozen=True)
class _Placement:
    """How the square about a person's landmarks lies about that of the box: shares of its side."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0

    @classmethod
    def between(cls, box: FaceRegion, landmarks: FaceRegion) -> _Placement:
        return cls(
            (landmarks.x - box.x) / box.side,
            (landmarks.y - box.y) / box.side,
            landmarks.side / box.side,
            landmarks.angle,
        )

    @property
    def is_near(self) -> bool:
        return (
            math.hypot(self.x, self.y) <= _FAR_SHIFT and 1 / _FAR_SCALE <= self.scale <= _FAR_SCALE
        )

    def about(self, box: FaceRegion) -> FaceRegion:
        x, y = box.x + self.x * box.side, box.y + self.y * box.side
        return FaceRegion(x, y, box.side * self.scale, self.angle)


class ShapeFinder:
    """Finds the shapes of the faces of one video.

    Parameters
    ----------
    landmarker : Landmarker
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self._placements: dict[int, _Placement] = {}  # of each track, as last seen

    def __call__(self, faces: Sequence[FaceInFrame]) -> list[FaceShape | None]:
        """Return the shape of each face; None where there is none to be seen.

        Parameters
        ----------
        faces : sequence of FaceInFrame
            Of some frames in order of time, which follow those of the last call.
        """
        first = {face.track: face for face in reversed(faces)}
        new = [face for track, face in first.items() if track not in self._placements]
        self._learn(new, self.look(new))
        shapes = self.look(faces)
        self._learn(faces, shapes)
        return shapes

    def look(self, faces: Sequence[FaceInFrame]) -> list[FaceShape | None]:
        """Return the shape of each face, without learning where a person's landmarks are."""
        straight = _Placement()
        regions = [
            self._placements.get(face.track, straight).about(region_from_box(face.box))
            for face in faces
        ]
        landmarks, presence, blendshapes = self._landmarker([f.rgb for f in faces], regions)
        again = [
            i for i in range(len(faces)) if _is_off(regions[i], landmarks[i], float(presence[i]))
        ]
        if again:
            better = self._landmarker(
                [faces[i].rgb for i in again], [region_from_landmarks(landmarks[i]) for i in again]
            )
            landmarks[again], presence[again], blendshapes[again] = better
        return [
            FaceShape(points, float(sure), scores) if sure >= MIN_PRESENCE else None
            for points, sure, scores in zip(landmarks, presence, blendshapes, strict=True)
        ]

    def _learn(self, faces: Sequence[FaceInFrame], shapes: Sequence[FaceShape | None]) -> None:
        for face, shape in zip(faces, shapes, strict=True):
            self._placements.pop(face.track, None)
            if shape is not None:
                placement = _Placement.between(
                    region_from_box(face.box), region_from_landmarks(shape.landmarks)
                )
                if placement.is_near:
                    self._placements[face.track] = placement


def crop_shapes(
    landmarker: Landmarker, crops: Sequence[NDArray[np.uint8]]
) -> list[FaceShape | None]:
    """Return the shape of the face in each crop (S, S, 3); no crop has to do with another one.

    Beyond a crop's border, its outermost pixels are repeated.
    """
    faces = [
        FaceInFrame(crop, number, (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0])))
        for number, crop in enumerate(crops)
    ]
    return ShapeFinder(landmarker).look(faces)


def _is_off(region: FaceRegion, landmarks: NDArray[np.float32], presence: float) -> bool:
    """Whether a face should be looked at again, about its landmarks."""
    if presence < _SURE:
        return True
    asked = region_from_landmarks(landmarks)
    turn = math.degrees(math.remainder(asked.angle - region.angle, math.tau))
    shift = math.hypot(asked.x - region.x, asked.y - region.y)
    scale = max(asked.side / region.side, region.side / asked.side)
    return abs(turn) > _MAX_TURN or shift > _MAX_SHIFT * region.side or scale > _MAX_SCALE
