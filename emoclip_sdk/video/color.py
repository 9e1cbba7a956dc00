"""The one place that makes RGB of decoded frames: matrix, range, transfer, gamut.

Matrix (BT.601, 709, 2020) and range (limited, full) are FFmpeg's work, by what the frame says; a
frame that says nothing is read as BT.601, as the command ``ffmpeg`` does. High dynamic range (HLG
and PQ of BT.2100) is brought to the standard range here, by a table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .filters import with_table

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["frame_rgb", "to_standard_range"]

# Code points of ITU-T H.273 (tables 2 to 4), which are FFmpeg's numbers too.
PQ, HLG = 16, 18
BT709, P3 = 1, 12  # primaries
BT601 = 5  # matrix
READ_AS = {3: BT601, 10: 9}  # reserved; BT.2020 with constant luminance
UNREAD = {
    8: "YCgCo", 11: "ST 2085", 12: "of derived primaries", 13: "of derived primaries",
    14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro",
}  # fmt: skip

WHITE = 203.0  # cd/m2 of diffuse white: BT.2408, table 1
PEAK = 1000.0  # cd/m2 of the display for which HLG is rendered; of PQ, brighter light is clipped
KNEE = 0.8  # of diffuse white, up to which light is kept as it is
DISPLAY_GAMMA = 2.4  # BT.1886
LEVEL = 8  # of the table: 64 steps of each color

# From the primaries to those of BT.709, linear light: BT.2087, equation 4; SMPTE EG 432-1.
TO_BT709 = {
    "bt2020": [
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ],
    "p3": [
        [1.224940, -0.224940, 0.0],
        [-0.042057, 1.042057, 0.0],
        [-0.019638, -0.078636, 1.098274],
    ],
    "bt709": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
}


def frame_rgb(picture: VideoFrame, width: int) -> NDArray[np.uint8]:
    """Return a decoded frame as RGB of standard range, not turned.

    Parameters
    ----------
    picture : av.VideoFrame
    width : int
        Pixels to which a row is stretched; the height stays.

    Returns
    -------
    ndarray, (H, width, 3), uint8
        Its rows may have padding.

    Raises
    ------
    ValueError
        A color matrix that neither FFmpeg nor this knows.
    OSError
        FFmpeg can't convert the frame.
    """
    matrix = int(picture.colorspace)
    if matrix in UNREAD:
        raise ValueError(f"the color matrix {UNREAD[matrix]} is not read; convert the video")
    if matrix in READ_AS or matrix > max(UNREAD):
        picture.colorspace = READ_AS.get(matrix, BT601)
    if picture.color_trc not in (PQ, HLG):
        rgb = picture.to_ndarray(format="rgb24", width=width, height=picture.height)
        return np.asarray(rgb, dtype=np.uint8)
    import av

    primaries = {BT709: "bt709", P3: "p3"}.get(int(picture.color_primaries), "bt2020")
    table = av.VideoFrame.from_ndarray(_table(int(picture.color_trc), primaries), format="rgb48le")
    deep = picture.reformat(format="rgb48le", width=width, height=picture.height)
    result = np.asarray(with_table(deep, table).to_ndarray(), dtype=np.uint16)
    return (result >> 8).astype(np.uint8)


def to_standard_range(
    signal: NDArray[np.float64], transfer: int, primaries: str
) -> NDArray[np.float64]:
    """Bring HLG or PQ to standard dynamic range.

    Light of the display by BT.2100 (table 4 for PQ; table 5 for HLG, with the system gamma of 1.2
    of a display of 1000 cd/m2), relative to diffuse white, in BT.709's primaries; the highlights
    are compressed, and the inverse of BT.1886 makes the signal. What is a face's is kept: a picture
    of standard range that was put into HLG or PQ as BT.2408 says comes out as it was, up to 80 %
    of white.

    Parameters
    ----------
    signal : ndarray, (..., 3)
        0..1.
    transfer : {PQ, HLG}
    primaries : {"bt2020", "p3", "bt709"}

    Returns
    -------
    ndarray, (..., 3)
        0..1.
    """
    light = _pq_light(signal) if transfer == PQ else _hlg_light(signal)
    light = np.maximum(light / WHITE @ np.array(TO_BT709[primaries]).T, 0)
    # By the brightest color, so that the hue stays.
    brightest = light.max(axis=-1, keepdims=True)
    light *= _compressed(brightest) / np.maximum(brightest, 1e-9)
    return np.clip(light, 0, 1) ** (1 / DISPLAY_GAMMA)


def _compressed(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bend what is above the knee so that the peak becomes 1 (Reinhard 2002, equation 4)."""
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    most = (PEAK / WHITE - KNEE) / (1 - KNEE)
    bent = above * (1 + above / most**2) / (1 + above)
    return np.minimum(np.where(light <= KNEE, light, KNEE + (1 - KNEE) * bent), 1)


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """EOTF of SMPTE ST 2084, in cd/m2."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = signal ** (1 / m2)
    return 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """EOTF of HLG, in cd/m2: the inverse OETF, and the OOTF on luminance."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return PEAK * luminance[..., None] ** 0.2 * scene


@cache
def _table(transfer: int, primaries: str) -> NDArray[np.uint16]:
    """Return a Hald image whose upper bytes are the rounded results of 8 bits."""
    steps = np.arange(LEVEL**2) / (LEVEL**2 - 1)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    result = to_standard_range(np.stack([red, green, blue], axis=-1), transfer, primaries)
    codes = np.minimum(result * 255 * 256 + 128, 65535).astype(np.uint16)
    return codes.reshape(LEVEL**3, LEVEL**3, 3)
