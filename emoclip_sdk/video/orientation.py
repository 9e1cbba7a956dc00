"""The one place that turns pictures upright, with the whole display matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .filters import filtered

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["EXIF_MATRICES", "UPRIGHT", "Matrix", "StreamOrientation", "upright"]

Matrix = tuple[int, int, int, int]
"""a, b, c, d of ISO/IEC 14496-12, 8.3.2: a stored pixel (x, y) is shown at (ax + cy, bx + dy)."""

UPRIGHT: Matrix = (1, 0, 0, 1)

EXIF_MATRICES: dict[int, Matrix] = {
    1: UPRIGHT,
    2: (-1, 0, 0, 1),  # mirrored left to right
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),  # mirrored top to bottom
    5: (0, 1, 1, 0),  # rows become columns
    6: (0, 1, -1, 0),  # to be turned clockwise
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),  # to be turned anticlockwise
}
"""What the tag Orientation of EXIF 2.32 (table 4, 0x0112) means."""


class StreamOrientation:
    """The matrix with which each frame of a stream is to be shown.

    FFmpeg hands the container's on to every frame, but that of the stream itself (H.264, HEVC) only
    to the frame before which it stands. It counts until the next one, or until the next key frame
    (ISO/IEC 14496-10, D.2.27).
    """

    def __init__(self) -> None:
        self._matrix = UPRIGHT

    def of(self, picture: VideoFrame) -> Matrix:
        """Return that of the frame decoded next."""
        matrix = _stated(picture)
        if matrix is not None or picture.key_frame:
            self._matrix = matrix or UPRIGHT
        return self._matrix


def _stated(picture: VideoFrame) -> Matrix | None:
    from av.sidedata.sidedata import SideDataContainer

    try:
        # Not `picture.side_data`: the frame would hold it, and it the frame, until the collector
        # comes, which counts objects and not the megabytes of each.
        data: Any = SideDataContainer(picture).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:  # PyAV before 19 stumbles over side data that it doesn't know
        turns = round(picture.rotation / 90) % 4
        return EXIF_MATRICES[(1, 8, 3, 6)[turns]] if turns else None
    if data is None:
        return None
    cells = np.frombuffer(data, np.int32)
    return int(cells[0]), int(cells[1]), int(cells[3]), int(cells[4])


def upright(rgb: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.uint8]:
    """Return a picture as a matrix says that it is shown.

    As the command ``ffmpeg`` does it (``configure_input_video_filter``): the eight orientations
    exactly; by another angle the picture is turned about its middle, keeps its size, and what is
    empty is black.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
    matrix : (int, int, int, int)
        In any unit.

    Returns
    -------
    ndarray, (H, W, 3) or (W, H, 3), uint8
        Contiguous.
    """
    a, b, c, d = matrix
    width, height = math.hypot(a, c), math.hypot(b, d)
    if not width or not height:  # no matrix at all, and no reason to lose the picture
        return np.ascontiguousarray(rgb)
    angle = round(math.degrees(math.atan2(b / height, a / width))) % 360  # clockwise
    if angle == 90:
        rgb = np.swapaxes(rgb, 0, 1) if c > 0 else np.rot90(rgb, -1)
    elif angle == 180:
        rgb = rgb[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    elif angle == 270:
        rgb = np.rot90(rgb, -1)[::-1] if c < 0 else np.rot90(rgb)
    elif angle:
        rgb = _rotated(rgb, angle)
    elif d < 0:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def _rotated(rgb: NDArray[np.uint8], angle: int) -> NDArray[np.uint8]:
    import av

    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    (turned,) = filtered("rotate", f"{angle}*PI/180", [picture])
    return np.asarray(turned.to_ndarray(), dtype=np.uint8)
