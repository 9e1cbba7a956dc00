"""Arithmetic of boxes."""

from __future__ import annotations

import pytest

from emoclip_sdk.faces.boxes import area, center, interpolate, iou


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 15, 10), 1 / 3),
        ((2, 2, 7, 7), 0.25),
        ((10, 0, 20, 10), 0.0),
        ((20, 20, 30, 30), 0.0),
    ],
)
def test_intersection_over_union(other, expected) -> None:
    assert iou((0, 0, 10, 10), other) == iou(other, (0, 0, 10, 10)) == pytest.approx(expected)


def test_between_two_boxes() -> None:
    assert interpolate((0, 0, 10, 10), (10, 20, 30, 40), 0.25) == (2.5, 5, 15, 17.5)


def test_center_and_area() -> None:
    assert center((0, 10, 20, 40)) == (10, 25)
    assert area((0, 10, 20, 40)) == 600
    assert area((20, 10, 0, 40)) == 0
