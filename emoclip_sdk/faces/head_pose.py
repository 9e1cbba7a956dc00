"""Where a head and its eyes point, from landmarks.

The canonical face of MediaPipe's face geometry is laid over the landmarks by the weighted
orthogonal Procrustes problem (Akca 2003), with MediaPipe's weights: 33 points that expressions
hardly move. No camera is assumed: angles are those against the line of sight to the face. All
angles are in degrees, the sides are the subject's, and the picture is not mirrored:

- yaw > 0: the head turns to its left, the nose moves to the right in the picture;
- pitch > 0: the head looks up;
- roll > 0: the head leans to its left shoulder, clockwise in the picture.

Yaw and pitch are longitude and latitude of where the nose points; roll is the turn about that axis.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from ..assets import asset

__all__ = ["HeadPose", "canonical_face", "gaze", "head_pose"]

# Landmarks of each eye, right and left: the corners, and the middle of the iris.
_CORNERS = ((33, 133), (263, 362))
_IRISES = (468, 473)
# Centimeters: from the center of rotation of an eye to its iris; and how far the iris is above the
# line between the corners when the eyes look ahead (median of 50 portraits that look into the
# camera, Face Research Lab London Set, DeBruine & Jones, CC BY 4.0).
_EYE_RADIUS, _IRIS_HEIGHT = 1.05, 0.25

_FloatArray = NDArray[np.float64]


class HeadPose(NamedTuple):
    """How N heads are turned; see the module for the signs.

    Attributes
    ----------
    pitch, yaw, roll : ndarray, (N,)
        In degrees.
    rotation : ndarray, (N, 3, 3)
        From the head's axes to the picture's: x to the right, y upwards, z to the viewer.
    scale : ndarray, (N,)
        Pixels of the frame per centimeter of the canonical face, which has the size of a man's.
    """

    pitch: _FloatArray
    yaw: _FloatArray
    roll: _FloatArray
    rotation: _FloatArray
    scale: _FloatArray


@lru_cache(maxsize=1)
def canonical_face() -> tuple[_FloatArray, _FloatArray]:
    """Return vertices (468, 3) in centimeters and their weights (468,).

    x is to the subject's left, y upwards, z out of the face: the picture's axes when the face looks
    into the camera.
    """
    with safe_open(asset("face-landmarker") / "model.safetensors", framework="numpy") as file:
        vertices, weights = (
            file.get_tensor(f"canonical_face.{name}").astype(np.float64)
            for name in ("vertices", "weights")
        )
    return vertices, weights


def head_pose(landmarks: NDArray[np.floating]) -> HeadPose:
    """Estimate head poses.

    Parameters
    ----------
    landmarks : ndarray, (N, 478, 3)
        As in `FaceShapes`: pixels, y downwards, z smaller towards the camera.

    Returns
    -------
    HeadPose
    """
    vertices, weights = canonical_face()
    used = weights > 0
    weight = weights[used] / weights[used].sum()
    model = vertices[used] - weight @ vertices[used]
    points = landmarks[:, : len(vertices)][:, used] * np.array([1.0, -1.0, -1.0])
    points = points - np.einsum("k,nkc->nc", weight, points)[:, None]
    u, singular, vt = np.linalg.svd(np.einsum("k,nka,kb->nab", weight, points, model))
    # A reflection would fit better where the points are nearly flat; a head is not mirrored.
    signs = np.ones((len(points), 3))
    signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * signs[:, None]) @ vt
    scale = (singular * signs).sum(axis=1) / (weight @ (model**2).sum(axis=1))
    forward = rotation[:, :, 2]
    yaw = np.arctan2(forward[:, 0], forward[:, 2])
    pitch = np.arcsin(forward[:, 1].clip(-1, 1))
    # x and y axes of the head, along the picture's vertical: what is left is the roll.
    roll = np.arctan2(-rotation[:, 1, 0], rotation[:, 1, 1])
    pitch, yaw, roll = np.degrees([pitch, yaw, roll])
    return HeadPose(pitch, yaw, roll, rotation, scale)


def gaze(landmarks: NDArray[np.floating], pose: HeadPose) -> tuple[_FloatArray, _FloatArray]:
    """Estimate where the eyes point, against the head.

    The middle of each iris is seen from the middle between the corners of its eye, in the head's
    axes, as on a ball of 1.05 cm. A coarse estimate: a narrow or closed eye has no iris to see, and
    faces differ in how the iris stands when they look ahead.

    Parameters
    ----------
    landmarks : ndarray, (N, 478, 3)
    pose : HeadPose
        Of the same landmarks.

    Returns
    -------
    yaw, pitch : ndarray, (N,)
        In degrees, the mean of both eyes. yaw > 0: to the subject's left; pitch > 0: upwards.
    """
    points = landmarks * np.array([1.0, -1.0, -1.0])
    offsets = np.stack(
        [
            points[:, iris] - points[:, list(corners)].mean(axis=1)
            for iris, corners in zip(_IRISES, _CORNERS, strict=True)
        ]
    ).mean(axis=0)
    offsets = np.einsum("nab,na->nb", pose.rotation, offsets) / pose.scale[:, None]
    offsets = (offsets[:, :2] - np.array([0, _IRIS_HEIGHT])) / _EYE_RADIUS
    yaw, pitch = np.degrees(np.arcsin(offsets.clip(-1, 1))).T
    return yaw, pitch
