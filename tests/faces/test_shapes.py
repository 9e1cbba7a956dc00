"""Where the landmark network looks, and what becomes of what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import face_frames
from emoclip_sdk.faces.landmarks import FaceShapes
from emoclip_sdk.faces.regions import FaceRegion, region_from_landmarks
from emoclip_sdk.faces.shapes import FaceInFrame, ShapeFinder
from emoclip_sdk.video import Frame

FRAME = np.zeros((200, 200, 3), np.uint8)


def points_about(x: float, y: float, size: float, angle: float = 0.0) -> np.ndarray:
    """Landmarks whose box is about (x, y), with the eyes at an angle."""
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = x, y
    points[0, :2], points[1, :2] = (x - size / 2, y - size / 2), (x + size / 2, y + size / 2)
    step = np.array([math.cos(angle), math.sin(angle)]) * size / 4
    points[33, :2], points[263, :2] = np.array([x, y]) - step, np.array([x, y]) + step
    return points


class Scripted:
    """A landmark network that sees a face where it is told, wherever it looks."""

    def __init__(self, points: np.ndarray, presence=lambda region: 1.0) -> None:
        self.points, self.presence = points, presence
        self.regions: list[list[FaceRegion]] = []

    def __call__(self, frames, regions) -> FaceShapes:
        n = len(regions)
        self.regions.append(list(regions))
        return FaceShapes(
            np.repeat(self.points[None], n, 0),
            np.array([self.presence(region) for region in regions], np.float32),
            np.zeros((n, 52), np.float32),
        )


def face(track: int = 0, box=(60.0, 60.0, 140.0, 160.0)) -> FaceInFrame:
    return FaceInFrame(FRAME, track, box)


def test_a_person_is_looked_at_twice_once_and_then_where_the_landmarks_were() -> None:
    network = Scripted(points_about(103, 118, 90, 0.05))
    finder = ShapeFinder(network)
    assert all(finder([face(), face()]))
    assert [len(regions) for regions in network.regions] == [1, 2], "the first frame, then all"
    network.regions.clear()
    moved = face(box=(70.0, 60.0, 150.0, 160.0))
    finder([moved])
    ((region,),) = [regions for regions in network.regions if regions][:1]
    expected = region_from_landmarks(network.points)
    assert (region.x, region.y) == pytest.approx((expected.x + 10, expected.y))
    assert (region.side, region.angle) == pytest.approx((expected.side, expected.angle))


@pytest.mark.parametrize(
    "points", [points_about(100, 116, 92, 0.4), points_about(115, 116, 92)], ids=["turn", "place"]
)
def test_a_face_out_of_place_is_looked_at_again(points) -> None:
    network = Scripted(points_about(100, 116, 92))
    finder = ShapeFinder(network)
    finder([face()])
    network.points = points
    network.regions.clear()
    finder([face()])
    regions = [regions for regions in network.regions if regions]
    assert len(regions) == 2
    assert regions[1] == [region_from_landmarks(points)]


def test_what_is_no_face_has_no_shape() -> None:
    finder = ShapeFinder(Scripted(points_about(100, 116, 92), presence=lambda region: 0.4))
    assert finder([face(), face(1)]) == [None, None]


def test_a_second_look_can_find_what_the_first_did_not() -> None:
    points = points_about(100, 116, 92, 1.2)
    network = Scripted(points, presence=lambda region: 0.99 if region.angle else 0.3)
    (shape,) = ShapeFinder(network)([face()])
    assert shape is not None and shape.presence == pytest.approx(0.99)


def test_landmarks_of_somebody_else_are_not_followed() -> None:
    network = Scripted(points_about(300, 116, 92))
    finder = ShapeFinder(network)
    finder([face()])
    network.regions.clear()
    finder([face()])
    assert abs(network.regions[0][0].x - 100) < 1, "about the box again"


def test_shapes_are_found_for_crops_some_at_a_time() -> None:
    network = Scripted(points_about(100, 100, 120))
    frames = [Frame(i, i / 7, FRAME) for i in range(40)]
    config = FaceConfig(detector="none")
    plain = list(face_frames(frames, config, size=32))
    seen = list(face_frames(frames, config, size=32, landmarker=network))
    assert all(frame.faces[0].shape is None for frame in plain)
    assert all(frame.faces[0].shape is not None for frame in seen)
    assert [frame.index for frame in seen] == list(range(40))
    assert len(network.regions) < 10 and max(map(len, network.regions)) > 8
