"""Actions, head pose and gaze of faces as vectors, to be averaged and compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..faces import FaceShape
from ..faces.head_pose import gaze, head_pose
from ..nn.blendshapes import BLENDSHAPES

__all__ = ["ACTION_NAMES", "MEASURES", "action_measures", "named_measures"]

ACTION_NAMES = tuple(name for name in BLENDSHAPES if name != "_neutral")
"""Blendshapes that say something, by their ARKit names."""
MEASURES = (*ACTION_NAMES, "pitch", "yaw", "roll", "gaze_pitch", "gaze_yaw")
"""What is known of the shape of a face, in the order of the vectors."""

_COLUMNS = [BLENDSHAPES.index(name) for name in ACTION_NAMES]


def action_measures(shapes: Sequence[FaceShape]) -> NDArray[np.float32]:
    """Return the `MEASURES` of N faces: (N, 56); blendshapes in [0, 1], angles in degrees."""
    if not shapes:
        return np.zeros((0, len(MEASURES)), np.float32)
    landmarks = np.stack([shape.landmarks for shape in shapes])
    pose = head_pose(landmarks)
    gaze_yaw, gaze_pitch = gaze(landmarks, pose)
    angles = np.stack([pose.pitch, pose.yaw, pose.roll, gaze_pitch, gaze_yaw], axis=1)
    scores = np.stack([shape.blendshapes for shape in shapes])[:, _COLUMNS]
    return np.concatenate([scores, angles], axis=1).astype(np.float32)


def named_measures(values: NDArray[np.floating] | None) -> dict[str, float]:
    """Return a vector of `MEASURES` by their names, rounded; NaN where there is none."""
    if values is None:
        return dict.fromkeys(MEASURES, float("nan"))
    # What is rounded is far below what the networks know.
    n = len(ACTION_NAMES)
    scores, angles = values.astype(np.float64)[:n].round(4), values.astype(np.float64)[n:].round(2)
    return dict(zip(MEASURES, [*scores.tolist(), *angles.tolist()], strict=True))
