from __future__ import annotations

import math

import numpy as np
import pytest

from emoclip_sdk.faces.regions import FaceRegion, region_from_box, region_from_landmarks


def test_the_map_to_the_frame_turns_about_the_center() -> None:
    region = FaceRegion(100.0, 60.0, 80.0, math.radians(90))
    to_frame = region.to_frame(256)
    assert to_frame @ [128, 128, 1] == pytest.approx([100, 60])
    # Turned clockwise by a right angle, the crop's upper left corner is the square's upper right.
    assert to_frame @ [0, 0, 1] == pytest.approx([140, 20])
    assert to_frame @ [256, 0, 1] == pytest.approx([140, 100])


def test_landmarks_give_a_level_square_of_one_and_a_half_times_the_face() -> None:
    landmarks = np.full((478, 3), 50.0)
    landmarks[0, :2], landmarks[1, :2] = (20, 10), (80, 110)
    landmarks[33, :2], landmarks[263, :2] = (40, 50), (60, 70)
    region = region_from_landmarks(landmarks)
    assert (region.x, region.y, region.side) == pytest.approx((50, 60, 150))
    assert region.angle == pytest.approx(math.radians(45))
    upright = region_from_landmarks(landmarks[:, :2] @ [[1, 0], [0, 0.001]])
    assert upright.angle == pytest.approx(0, abs=1e-2)


def test_a_box_gives_a_square_that_the_eyes_turn() -> None:
    box = (100.0, 100.0, 180.0, 200.0)
    region = region_from_box(box)
    assert region.angle == 0
    assert region.x == pytest.approx(140)
    assert 150 < region.y < 160
    assert 120 < region.side < 150
    turned = region_from_box(box, eyes=((120, 160), (120, 190)))
    assert turned.angle == pytest.approx(math.radians(90))
    assert turned.side == region.side
    assert (turned.x, turned.y) == pytest.approx((140 - (region.y - 150), 150))


@pytest.mark.parametrize("box", [(5.0, 5.0, 5.0, 5.0), (9.0, 9.0, 3.0, 3.0)])
def test_an_empty_box_still_is_a_region(box) -> None:
    assert region_from_box(box).side >= 1
