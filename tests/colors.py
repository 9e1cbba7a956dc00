"""Color by the formulas of the standards, worked out apart from the package and from FFmpeg."""

from __future__ import annotations

from typing import Any

import numpy as np

LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
LIMITED, FULL = 1, 2
PQ, HLG = 16, 18
# Red, green and blue as light: BT.709 to BT.2020, BT.2087, table 2.
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def codes(rgb: np.ndarray, matrix: int, color_range: int, bits: int) -> np.ndarray:
    """Return Y, Cb, Cr of a picture 0..1, by BT.601, 709 and 2020 (E'Y and their quantization)."""
    kr, kb = LUMA[matrix]
    r, g, b = np.moveaxis(rgb, -1, 0)
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    step = 2 ** (bits - 8)
    if color_range == FULL:
        most = 2**bits - 1
        planes = [most * y, most * cb + 128 * step, most * cr + 128 * step]
    else:
        planes = [(219 * y + 16) * step, (224 * cb + 128) * step, (224 * cr + 128) * step]
    return np.rint(planes).astype(np.uint8 if bits == 8 else np.uint16)


def frame(
    planes: np.ndarray,
    bits: int,
    matrix: int = 2,
    color_range: int = 0,
    transfer: int = 2,
    primaries: int = 2,
) -> Any:
    """Return a frame (4:4:4) of planes, with the code points of H.273."""
    import av

    picture = av.VideoFrame(
        planes.shape[2], planes.shape[1], "yuv444p" if bits == 8 else "yuv444p10le"
    )
    for plane, values in zip(picture.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
        rows[:, : values.shape[1]] = values
        plane.update(rows.tobytes())
    picture.colorspace, picture.color_range = matrix, color_range
    picture.color_trc, picture.color_primaries = transfer, primaries
    return picture


def hlg(light: np.ndarray) -> np.ndarray:
    """Light in cd/m2 to HLG, by BT.2100, table 5, for a display of 1000 cd/m2."""
    luminance = light @ [0.2627, 0.6780, 0.0593] / 1000
    scene = light / 1000 * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def pq(light: np.ndarray) -> np.ndarray:
    """Light in cd/m2 to PQ, by BT.2100, table 4."""
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def in_high_range(rgb: np.ndarray, transfer: int) -> np.ndarray:
    """Put a picture 0..1 of standard range into HLG or PQ as BT.2408 says.

    As a display of BT.1886 shows it, with white at 203 cd/m2.
    """
    light = np.maximum(203 * rgb**2.4 @ TO_BT2020.T, 0)
    return hlg(light) if transfer == HLG else pq(light)
