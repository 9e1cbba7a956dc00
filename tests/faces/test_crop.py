from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.faces import center_crop, face_crop


def gradient(height: int = 200, width: int = 250) -> np.ndarray:
    """Pixel (x, y) has red x and green y: a crop's colors tell where it is from."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


def where(crop: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Position in :func:`gradient` of the crop's pixel at a relative place."""
    size = len(crop) - 1
    red, green, _ = crop[round(y * size), round(x * size)].astype(float)
    return red + 0.5, green + 0.5  # the middle of a pixel


@pytest.mark.parametrize("size", [20, 100, 224])
@pytest.mark.parametrize("margin", [0.0, 0.15, -0.1])
def test_a_crop_is_the_square_about_the_center(size, margin) -> None:
    # The box is 60 wide and 80 high about (130, 90): the side is 80 and its margin.
    crop = face_crop(gradient(), (100, 50, 160, 130), size, margin)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    half = 80 * (1 + 2 * margin) / 2
    pixel = half / size  # an outermost pixel's middle lies half a pixel inside
    assert where(crop, 0, 0) == pytest.approx((130 - half + pixel, 90 - half + pixel), abs=0.6)
    assert where(crop, 1, 1) == pytest.approx((130 + half - pixel, 90 + half - pixel), abs=0.6)


def test_the_longer_side_counts() -> None:
    rgb = gradient()
    wide, high = (80, 70, 160, 110), (100, 50, 140, 130)  # the same center, turned
    assert np.array_equal(face_crop(rgb, wide, 50, 0.2), face_crop(rgb, high, 50, 0.2))


def test_subpixel_boxes_move_the_crop() -> None:
    rgb = np.tile((np.arange(50) * 5).astype(np.uint8)[None, :, None], (50, 1, 3))
    shifts = [0, 0.2, 0.4, 0.6, 1]
    means = [face_crop(rgb, (10 + d, 10, 30 + d, 30), 20).mean() for d in shifts]
    assert np.subtract(means, means[0]) == pytest.approx([5 * d for d in shifts], abs=0.1)


@pytest.mark.parametrize("box", [(-50, -50, 50, 50), (250, 150, 350, 250), (-90, 20, 10, 60)])
def test_beyond_the_border_the_edge_is_repeated(box) -> None:
    rgb = gradient()
    padded = np.pad(rgb, ((200, 200), (200, 200), (0, 0)), mode="edge")
    moved = tuple(v + 200 for v in box)
    assert np.array_equal(face_crop(rgb, box, 64, 0.1), face_crop(padded, moved, 64, 0.1))


def test_a_box_outside_of_the_frame_gives_its_nearest_edge() -> None:
    rgb = gradient()
    assert np.all(face_crop(rgb, (-900, -900, -800, -800), 16) == rgb[0, 0])
    assert np.all(face_crop(rgb, (900, 900, 1000, 1000), 16) == rgb[-1, -1])


def test_shrinking_does_not_alias() -> None:
    # Stripes of one pixel: taking every n-th pixel would give black, white or a moire pattern.
    rgb = np.zeros((900, 900, 3), np.uint8)
    rgb[:, ::2] = 255
    crop = face_crop(rgb, (33.3, 33.3, 833.3, 833.3), 90)
    assert crop.astype(float).std() < 3
    assert crop.mean() == pytest.approx(127.5, abs=2)


def test_a_frame_is_not_changed_and_not_shared() -> None:
    rgb = gradient()
    before = rgb.copy()
    crop = face_crop(rgb, (0, 0, 64, 64), 64)
    crop[:] = 0
    assert np.array_equal(rgb, before)


@pytest.mark.parametrize("shape", [(100, 200), (200, 100), (100, 100), (1, 1)])
def test_center_crop_keeps_the_aspect(shape) -> None:
    height, width = shape
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) < min(shape) * 0.3
    rgb = np.repeat(np.where(inside, 255, 0)[:, :, None], 3, axis=2).astype(np.uint8)
    crop = center_crop(rgb, 60)
    assert crop.shape == (60, 60, 3)
    rows, columns = np.nonzero(crop[:, :, 0] > 128)
    if min(shape) > 1:
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)
        assert (rows.mean(), columns.mean()) == pytest.approx((29.5, 29.5), abs=0.6)
        assert np.ptp(rows) == pytest.approx(36, abs=2)


def test_a_strip_is_cut_without_what_is_missing_beside_it() -> None:
    strip = np.zeros((60_000, 8, 3), np.uint8)
    strip[30_000:] = 200
    crop = face_crop(strip, (0.0, 0.0, 8.0, 60_000.0), 32)  # as a square: 10 gigabytes
    assert crop.shape == (32, 32, 3)
    assert (crop[:14] < 30).all() and (crop[18:] > 170).all()
