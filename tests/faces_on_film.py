"""Films of several people, made of the one portrait that the project has.

The portrait squeezed or bulged is, to the network, another person, or nearly one.
"""

from __future__ import annotations

import cv2
import numpy as np

from emoclip_sdk.assets import asset

GRAY = 128
_X, _Y = 198, 109  # of the face in the portrait


def people() -> dict[str, np.ndarray]:
    """Return pictures of two people, and of somebody who may be the first one or not.

    Their distances: the first to the second 0.69, to the third 0.50.
    """
    import av

    with av.open(str(asset("portrait.mp4"))) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return {
        "one": warped(picture, 0.4, 0.85),
        "other": warped(picture, -0.45, 1.3),
        "maybe": warped(picture, -0.1, 1.1),
    }


def warped(picture: np.ndarray, amount: float, width: float) -> np.ndarray:
    """Bulge (> 0) or squeeze (< 0) the middle of a face, and widen the picture."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    dx, dy = x - _X, y - _Y
    scale = 1 + amount * np.exp(-(np.hypot(dx, dy) ** 2) / 45**2)
    bent = cv2.remap(picture, _X + dx * scale, _Y + dy * scale, cv2.INTER_LINEAR)
    return cv2.resize(bent[:260, 90:310], None, fx=width, fy=1.0)


def frame(*placed: tuple[np.ndarray, float], width: int = 720) -> np.ndarray:
    """A gray picture with portraits at so many pixels from the left, the later ones in front."""
    canvas = np.full((280, width, 3), GRAY, np.uint8)
    for picture, left in placed:
        x = round(left)
        canvas[10 : 10 + len(picture), x : x + picture.shape[1]] = picture
    return canvas
