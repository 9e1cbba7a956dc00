"""A canonical face that is turned by known angles, seen without perspective."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.faces.head_pose import canonical_face, gaze, head_pose

EYES = ((33, 133), (263, 362))


def turn(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Roll about the nose, then look up, then turn to the left; z is to the viewer."""
    p, y, r = np.radians([-pitch, yaw, -roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def face(pitch=0.0, yaw=0.0, roll=0.0, look=(0.0, 0.0), scale=12.0) -> np.ndarray:
    """Landmarks in pixels, the eyes turned by `look` (yaw, pitch) against the head."""
    vertices, _ = canonical_face()
    points = np.concatenate([vertices, np.zeros((10, 3))])
    across, up = 1.05 * np.sin(np.radians(look))
    for iris, corners in zip((468, 473), EYES, strict=True):
        points[iris] = vertices[list(corners)].mean(axis=0) + np.array([across, 0.25 + up, 0.3])
    points = points @ turn(pitch, yaw, roll).T
    return np.array([300.0, 200.0, 0.0]) + scale * points * np.array([1, -1, -1])


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (20, 0, 0), (0, 35, 0), (0, 0, 25), (-15, 40, 10), (30, -60, -170)]
)
def test_angles_are_those_of_the_turn(angles) -> None:
    pose = head_pose(face(*angles)[None])
    assert (pose.pitch[0], pose.yaw[0], pose.roll[0]) == pytest.approx(angles, abs=1e-6)
    assert pose.scale[0] == pytest.approx(12)
    assert pose.rotation[0] == pytest.approx(turn(*angles), abs=1e-9)


def test_signs_are_those_of_the_picture() -> None:
    nose, forehead, chin = 1, 10, 152
    left = face(yaw=30)
    assert left[nose, 0] > left[[33, 263], 0].mean()  # to the right in the picture
    up = face(pitch=20)
    assert up[nose, 1] < face()[nose, 1]
    leaning = face(roll=20)
    assert leaning[forehead, 0] > leaning[chin, 0]  # the top of the head to the right


def test_many_faces_at_once_and_noise_between() -> None:
    random = np.random.default_rng(0)
    faces = np.stack([face(yaw=yaw) for yaw in (-30.0, 0.0, 30.0)])
    pose = head_pose(faces + random.normal(0, 1.0, faces.shape))
    assert pose.yaw == pytest.approx([-30, 0, 30], abs=3)
    assert head_pose(faces[:0]).yaw.shape == (0,)


@pytest.mark.parametrize("head", [(0, 0, 0), (10, 25, -15)])
@pytest.mark.parametrize("look", [(0, 0), (20, 0), (-15, 10)])
def test_gaze_is_measured_against_the_head(head, look) -> None:
    landmarks = face(*head, look=look)[None]
    yaw, pitch = gaze(landmarks, head_pose(landmarks))
    assert (yaw[0], pitch[0]) == pytest.approx(look, abs=1e-6)


def test_the_canonical_face_is_symmetric_and_faces_the_viewer() -> None:
    vertices, weights = canonical_face()
    assert vertices[33] == pytest.approx(vertices[263] * [-1, 1, 1], abs=1e-4)
    assert vertices[1, 2] > vertices[33, 2]  # the nose is in front
    assert vertices[10, 1] > vertices[152, 1]  # the forehead above the chin
    assert (weights > 0).sum() == 33
