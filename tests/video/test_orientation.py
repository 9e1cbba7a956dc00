"""Display matrices and EXIF tags: each of the eight orientations, and other angles."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from emoclip_sdk.video import open_video
from emoclip_sdk.video.orientation import upright

from .conftest import HEIGHT, WIDTH, quadrants

EIGHT = [
    (1, 0, 0, 1),
    (-1, 0, 0, 1),
    (1, 0, 0, -1),
    (-1, 0, 0, -1),
    (0, 1, 1, 0),
    (0, 1, -1, 0),
    (0, -1, 1, 0),
    (0, -1, -1, 0),
]
TEXTURE = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)


def placed(rgb, matrix):
    """Put each pixel where the standard's formula says, (x, y) to (ax + cy, bx + dy)."""
    a, b, c, d = matrix
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    new_x, new_y = a * x + c * y, b * x + d * y
    new_x, new_y = new_x - new_x.min(), new_y - new_y.min()
    out = np.zeros((new_y.max() + 1, new_x.max() + 1, 3), rgb.dtype)
    out[new_y, new_x] = rgb
    return out


@pytest.mark.parametrize("matrix", EIGHT)
def test_eight_orientations(matrix) -> None:
    shown = upright(TEXTURE, matrix)
    np.testing.assert_array_equal(shown, placed(TEXTURE, matrix))
    assert shown.flags.c_contiguous


def test_a_matrix_of_zeros_changes_nothing() -> None:
    np.testing.assert_array_equal(upright(TEXTURE, (0, 0, 0, 0)), TEXTURE)


def test_another_angle_turns_about_the_middle_and_keeps_the_size() -> None:
    y, x = np.mgrid[:80, :120]
    rgb = np.stack([x * 2, y * 3, 60 + (x + y) // 2], axis=-1).astype(np.uint8)
    angle = 30
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    shown = upright(rgb, tuple(round(v * 0x10000) for v in (cos, sin, -sin, cos)))
    expected = np.asarray(Image.fromarray(rgb).rotate(-angle, Image.Resampling.BILINEAR))
    assert shown.shape == rgb.shape
    assert shown[0, 0].tolist() == [0, 0, 0]
    inside = expected.min(axis=-1) > 40
    assert np.abs(shown.astype(int) - expected)[inside].mean() < 2


def with_matrix(path, matrix):
    """Write a display matrix into the track header of an MP4 (version 0)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (v * 0x10000 for v in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    return bytes(data)


def test_mirrored_videos(make_video) -> None:
    path = make_video("r.mp4", [quadrants()] * 2)
    stored = next(open_video(path).frames()).rgb.astype(int)
    for matrix in EIGHT:
        video = open_video(with_matrix(path, matrix))
        for rgb in (next(video.frames()).rgb, video.pick([1])[0].rgb):
            np.testing.assert_allclose(rgb, placed(stored, matrix), atol=1, err_msg=str(matrix))


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_photos_are_turned_as_their_tag_says(tmp_path, suffix) -> None:
    for tag in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = tag
        path = tmp_path / f"{tag}.{suffix}"
        Image.fromarray(quadrants()).save(path, exif=exif)
        with Image.open(path) as image:
            expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        np.testing.assert_array_equal(next(open_video(path).frames()).rgb, expected)
        assert expected.shape[:2] == ((HEIGHT, WIDTH) if tag < 5 else (WIDTH, HEIGHT))
