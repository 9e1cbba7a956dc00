"""Make examples/expressions.mp4: a photograph whose face a program moves.

The photograph is that of make_example.py, NASA's portrait of the astronaut Eileen Collins, in the
public domain. She smiles in it. The landmark network finds 478 points of her face; an expression
says where some of them go, the others follow smoothly, and the picture between them is warped. What
comes out is a drawing, good for showing what a command prints, and measures nothing. The same
versions of the libraries give the same file. Needs scikit-image and nothing else beyond
emoclip_sdk:

    pip install scikit-image
    python examples/make_expressions.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from make_example import FPS, encode, photograph
from numpy.typing import NDArray

from emoclip_sdk.faces.landmarks import FaceLandmarker
from emoclip_sdk.faces.outlines import OUTLINES
from emoclip_sdk.faces.regions import FaceRegion

SIDE = 384  # pixels of the clip
DETAIL = 2  # pixels are computed so much finer than they are shown

# In pixels of the photograph: what is shown (left, top, side), the face, the head with its hair
# (center and half axes), and the point about which it turns.
VIEW = (85.0, 5.0, 280.0)
FACE = FaceRegion(225.7, 124.6, 162.4, 0.05)
HEAD = (225.0, 95.0, 85.0, 110.0)
NECK = (225.0, 170.0)

DARK, TONGUE = (52, 20, 20), (120, 58, 56)  # RGB in the open mouth, behind the teeth and below
RELAXED = 0.85  # how far the folds of the smile go where she doesn't smile

# Expression and the seconds from which and until which it is there; in between, one goes over into
# the next.
SCRIPT = (
    ("neutral", 0.0, 1.4),
    ("smile", 1.9, 3.2),
    ("neutral", 3.8, 5.4),
    ("surprise", 5.7, 7.0),
    ("smile", 7.5, 8.6),
)

# Where landmarks go from the photograph, to the viewer's right and down, in percent of the distance
# between the outer corners of the eyes. Those of the subject's right side stand for both sides.
EXPRESSIONS: dict[str, dict[int, tuple[float, float]]] = {
    "smile": {},
    "neutral": {
        # corners of the mouth, upper lip, lower lip
        61: (9, 14), 78: (8, 13.5), 191: (7, 11.2), 80: (5.5, 9.5), 81: (3.5, 8), 82: (1.5, 5.8),
        13: (0, 5), 0: (0, 3.5), 37: (1, 4), 40: (5, 9),
        95: (7, 6.4), 88: (5.5, 1.2), 178: (3.5, -2.8), 87: (1.5, -5.8), 14: (0, -6.8),
        17: (0, -2), 84: (1, -1.5), 91: (5, 5), 146: (7, 9.6),
        # cheeks, nose, eye, brow, chin
        205: (1, 4), 50: (0, 2), 187: (2, 5), 212: (5, 6.4), 129: (1, 0.5),
        159: (0, -0.5), 145: (0, 1), 107: (0, 2.5), 66: (0, 1.8), 105: (0, 0), 70: (0, -1),
        152: (0, 0),
    },
    "surprise": {
        61: (11, 11), 80: (5, 3), 13: (0, 0), 0: (0, 0), 37: (1, 0.5),
        95: (4, 16), 88: (0, 23), 178: (-1, 26), 87: (-1, 27), 14: (0, 28),
        17: (0, 26), 84: (1, 25), 91: (3, 21), 146: (6, 15),
        205: (1, 3), 50: (0, 1), 187: (3, 5), 212: (4, 14), 129: (0.5, 0.5),
        159: (0, -5), 160: (0, -4.5), 158: (0, -4.5), 145: (0, 1),
        107: (0, -10), 66: (0, -11), 105: (0, -11), 63: (0, -10), 70: (0, -7),
        152: (0, 22), 148: (0, 22), 176: (0, 20), 149: (0.5, 17), 150: (1, 13), 136: (1, 9),
        172: (1, 4),
    },
}  # fmt: skip
STILL = (10, 67, 109, 54, 127, 234, 93, 132, 33, 133, 1, 2, 168, 6)  # these stay
MIRRORED = {
    33: 263, 133: 362, 159: 386, 160: 387, 158: 385, 145: 374, 61: 291, 37: 267, 84: 314, 78: 308,
    191: 415, 80: 310, 81: 311, 82: 312, 95: 324, 88: 318, 178: 402, 87: 317, 40: 270, 91: 321,
    146: 375, 129: 358, 205: 425, 50: 280, 187: 411, 212: 432, 148: 377, 176: 400, 149: 378,
    150: 379, 136: 365, 172: 397, 70: 300, 63: 293, 105: 334, 66: 296, 107: 336, 67: 297, 109: 338,
    54: 284, 127: 356, 234: 454, 93: 323, 132: 361,
}  # fmt: skip

LIPS, INNER_LIPS = OUTLINES[-2][:-1], OUTLINES[-1][:-1]
UPPER, LOWER = INNER_LIPS[1:10], INNER_LIPS[:10:-1]  # of the inner lips, the subject's right first
MOUTH_CORNERS = (61, 291, 78, 308)
FOLDS = ((49, 203, 206, 216, 212), (279, 423, 426, 436, 432))  # from the nose to the mouth
DARK_CORNERS = ((61, 191, 80, 88, 95, 146), (291, 415, 310, 318, 324, 375))  # beside the teeth


class MovingFace:
    """A photograph and the mesh that moves its face.

    Parameters
    ----------
    picture : ndarray, shape (H, W, 3), uint8
        The photograph, RGB.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        from scipy.spatial import Delaunay  # comes with scikit-image

        self.picture = picture
        self.face = FaceLandmarker()([picture], [FACE]).landmarks[0, :, :2].astype(np.float64)
        self.relaxed = self._without_folds()
        eyes = self.face[263] - self.face[33]
        self.percent = float(np.hypot(*eyes)) / 100
        right = eyes / np.hypot(*eyes)
        self.axes = np.stack([right, [-right[1], right[0]]])  # to the viewer's right, and down
        self.below = self._below_the_mouth()
        self.moves = {name: self._spread(moves) for name, moves in EXPRESSIONS.items()}

        self.points = np.concatenate([self.face, self._around()])
        triangles = Delaunay(self.points).simplices
        self.around = triangles[(triangles >= len(self.face)).any(axis=1)]
        # With an open mouth, so that no triangle reaches from one lip to the other.
        triangles = Delaunay(self.face + self.moves["surprise"]).simplices
        teeth = np.isin(triangles, INNER_LIPS).all(axis=1)
        self.skin, self.teeth = triangles[~teeth], triangles[teeth]

    def frame(
        self, amounts: dict[str, float], turn: float, shift: tuple[float, float]
    ) -> NDArray[np.uint8]:
        """Draw a frame.

        Parameters
        ----------
        amounts : dict of str to float
            How much of each expression there is; they sum to 1.
        turn : float
            Of the head, clockwise, in radians.
        shift : (float, float)
            Of the head, to the right and down, in pixels of the photograph.
        """
        face = self.face + sum(amount * self.moves[name] for name, amount in amounts.items())
        teeth = self._teeth(face)
        points = np.concatenate([face, self.points[len(face) :]])
        canvas = _Canvas(SIDE * DETAIL)
        canvas.draw(self._turned(points, turn, shift), self.points, self.around)
        hole = self._turned(face[list(INNER_LIPS)], turn, shift)
        canvas.fill(hole)
        canvas.draw(self._turned(teeth, turn, shift), teeth, self.teeth, inside=hole)
        canvas.draw(self._turned(points, turn, shift), self.points, self.skin)

        relaxed = RELAXED * (1 - amounts.get("smile", 0.0))
        picture = cv2.addWeighted(self.picture, 1 - relaxed, self.relaxed, relaxed, 0)
        frame = canvas.filled_from(np.asarray(picture, np.uint8))
        small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return small.clip(0, 255).astype(np.uint8)

    def _without_folds(self) -> NDArray[np.uint8]:
        """Return the photograph without the marks that the smile leaves beside nose and mouth."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        for line in FOLDS:
            cv2.polylines(mask, [_fixed(self.face[list(line)])], False, 255, 4, shift=4)
        for corner in DARK_CORNERS:
            cv2.fillPoly(mask, [_fixed(self.face[list(corner)])], 255, shift=4)
            cv2.polylines(mask, [_fixed(self.face[list(corner)])], True, 255, 2, shift=4)
        filled = cv2.inpaint(self.picture, mask, 4, cv2.INPAINT_TELEA)
        filled = cv2.GaussianBlur(filled, (0, 0), 1.0)
        share = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.5)[..., None]
        return (self.picture * (1 - share) + filled * share).astype(np.uint8)

    def _below_the_mouth(self) -> NDArray[np.bool_]:
        """Return which landmarks belong to the lower lip and to what is below it."""
        x, y = self.axes @ self.face.T
        line = [78, *UPPER, 308]
        below = y > np.interp(x, x[line], (y[line] + y[[78, *LOWER, 308]]) / 2)
        below[line], below[list(LOWER)] = False, True
        return below

    def _around(self) -> NDArray[np.float64]:
        """Return points of a grid about the face."""
        left, top, side = VIEW
        margin = 60
        x = np.linspace(left - margin, left + side + margin, 41)
        y = np.linspace(top - margin, top + side + margin, 41)
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        hull = cv2.convexHull(self.face.astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in grid]
        return grid[np.array(inside) < -6]

    def _spread(self, moves: dict[int, tuple[float, float]]) -> NDArray[np.float64]:
        """Return how all landmarks move where some move so: (478, 2), in pixels."""
        from scipy.interpolate import RBFInterpolator

        given = dict.fromkeys(STILL, (0.0, 0.0)) | moves
        given |= {MIRRORED[i]: (-x, y) for i, (x, y) in given.items() if i in MIRRORED}
        indices = np.array(list(given))
        pixels = np.array(list(given.values())) * self.percent @ self.axes
        lips = np.isin(indices, LIPS + INNER_LIPS) & ~np.isin(indices, MOUTH_CORNERS)
        result = np.zeros_like(self.face)
        for below in (False, True):
            # The lips part: where one goes says nothing about what is beside the other.
            known = ~lips | (self.below[indices] == below)
            spread = RBFInterpolator(self.face[indices[known]], pixels[known])
            result[self.below == below] = spread(self.face[self.below == below])
        return result

    def _teeth(self, face: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return landmarks between which the photograph has teeth.

        They stay where they are. Where the lower lip goes down, its edge must not stay with them.
        """
        drop = float((face[14] - self.face[14]) @ self.axes[1]) / self.percent
        share = 0.25 * min(max(drop / 15, 0.0), 1.0)
        teeth = self.face.copy()
        for above, below in zip(UPPER, LOWER, strict=True):
            teeth[below] += share * (teeth[above] - teeth[below])
        return teeth

    def _turned(
        self, points: NDArray[np.float64], turn: float, shift: tuple[float, float]
    ) -> NDArray[np.float64]:
        """Turn the head, and with it less and less of what is around; in pixels of the canvas."""
        x, y, half_width, half_height = HEAD
        away = np.hypot((points[:, 0] - x) / half_width, (points[:, 1] - y) / half_height)
        share = _eased(((1.8 - away) / 0.8).clip(0, 1))[:, None]
        cos, sin = math.cos(turn), math.sin(turn)
        turned = (points - NECK) @ np.array([[cos, sin], [-sin, cos]]) + NECK + shift
        moved = points + share * (turned - points)
        return (moved - VIEW[:2]) * (SIDE * DETAIL / VIEW[2])


class _Canvas:
    """Triangles that are laid over one another, each with the map to its place in a picture."""

    def __init__(self, size: int) -> None:
        self.index = np.zeros((size, size), np.int32)  # of a map; 0: the dark of the mouth
        self.maps = [np.zeros((3, 2))]
        self.hole = (0.0, 1.0)  # top and bottom

    def draw(
        self,
        target: NDArray[np.float64],
        source: NDArray[np.float64],
        triangles: NDArray[np.int32],
        inside: NDArray[np.float64] | None = None,
    ) -> None:
        """Lay triangles over what is there, or over what is there inside a polygon."""
        before = self.index.copy()
        for triangle in triangles:
            corners = np.c_[target[triangle], np.ones(3)]
            if abs(np.linalg.det(corners)) < 1e-6:
                continue  # lips that touch leave nothing between them
            cv2.fillConvexPoly(self.index, _fixed(target[triangle]), len(self.maps), shift=4)
            self.maps.append(np.linalg.solve(corners, source[triangle]))
        if inside is not None:
            mask = cv2.fillPoly(np.zeros(self.index.shape, np.uint8), [_fixed(inside)], 1, shift=4)
            self.index = np.where(mask > 0, self.index, before)

    def fill(self, polygon: NDArray[np.float64]) -> None:
        """Lay the dark of the mouth over what is there."""
        cv2.fillPoly(self.index, [_fixed(polygon)], 0, shift=4)
        self.hole = (polygon[:, 1].min(), polygon[:, 1].max())

    def filled_from(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the canvas with the colors of a picture."""
        size = len(self.index)
        y, x = np.mgrid[:size, :size]
        maps = np.array(self.maps)[self.index]
        place = x[..., None] * maps[:, :, 0] + y[..., None] * maps[:, :, 1] + maps[:, :, 2]
        place = place.astype(np.float32)
        colors = cv2.remap(picture, place[..., 0], place[..., 1], cv2.INTER_CUBIC)
        top, bottom = self.hole
        depth = ((np.arange(size) - top) / max(bottom - top, 1)).clip(0, 1)[:, None, None] ** 2
        dark = np.array(DARK) + depth * (np.array(TONGUE) - DARK)
        share = cv2.GaussianBlur((self.index == 0).astype(np.float32), (0, 0), 1.2)[..., None]
        return (colors * (1 - share) + dark * share).astype(np.float32)


def amounts_at(time: float) -> dict[str, float]:
    """Return how much of each expression there is at a time, in seconds."""
    for (name, _, end), (after, start, _) in pairwise(SCRIPT):
        if time <= end:
            return {name: 1.0}
        if time < start:
            share = float(_eased(np.array((time - end) / (start - end))))
            return {name: 1.0 - share, after: share}
    return {SCRIPT[-1][0]: 1.0}


def frames(face: MovingFace) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of the clip; the head is never quite still."""
    for i in range(round(SCRIPT[-1][2] * FPS)):
        time = i / FPS
        turn = 0.02 * math.sin(2 * math.pi * time / 5.0)
        shift = (2.0 * math.sin(2 * math.pi * time / 4.1), 1.2 * math.sin(2 * math.pi * time / 2.9))
        yield face.frame(amounts_at(time), turn, shift)


def _eased(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Begin and end slowly."""
    return share * share * (3 - 2 * share)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return points as OpenCV draws them with ``shift=4``: in sixteenths of a pixel."""
    return np.round(points * 16).astype(np.int32)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "out", type=Path, nargs="?", default=Path(__file__).with_name("expressions.mp4")
    )
    encode(parser.parse_args().out, frames(MovingFace(photograph())), crf=23)
