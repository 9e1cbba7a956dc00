"""Photographs of people that a head model moves: real faces of which is known what they do.

A face at rest is laid over ICT-FaceKit's head by its landmarks. Expressions of the head then carry
the photograph's pixels along, folds of the skin are shaded as the head's surface turns, and where
the lips part, the head's mouth and teeth are seen. Hair, pose and background stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...faces.landmarks import FaceLandmarker
from ...faces.outlines import EYES
from ...faces.shapes import crop_shapes
from ...nn.face_landmarks import LANDMARKS
from .render import (
    AMBIENT,
    PARTS,
    HeadModel,
    HeadScene,
    RenderedHead,
    draw_expressions,
    project,
)

__all__ = [
    "LandmarkPlaces",
    "Portrait",
    "paint_triangles",
    "place_landmarks",
    "read_portraits",
    "render_portrait",
]

SIDE = 192
"""Of portraits in pixels; others are scaled."""
MAX_YAW, MAX_PITCH = 22.0, 25.0  # degrees; beyond them half a face is not in the photograph
MAX_MISFIT = 0.35  # cm, of landmarks beside those of the head model
SURE = 0.9  # presence of a face
STIFFNESS = 0.02  # of the thin plate that takes the head model to somebody's face

AMPLIFIED = {"browDown": 1.7}
"""Expressions that the head model shows more faintly than people do, and how much stronger they are
on portraits."""

_NEAREST = 200  # triangles around a landmark, among which it lies
_IRISES = 468  # landmarks from here on lie on the eyes
_LIGHT = (0.2, 0.5, 0.8)  # right, up, to the camera
_GRAZING, _FACING = 0.15, 0.5  # of a surface's normal to the camera: not shaded, and in full
_SHADES = (0.4, 1.6)
_INSIDE = {"mouth": 0.35, "gums and tongue": 0.6, "teeth": 0.9}  # how much light gets there
_CHEEKS = (50, 280, 205, 425, 1, 4)  # landmarks at which the skin's color is read
_PLAIN = 3.0  # a picture whose channels differ by less is gray

Points = NDArray[np.floating[Any]]


class LandmarkPlaces(NamedTuple):
    """Where MediaPipe's landmarks lie on a head model.

    Attributes
    ----------
    corners : ndarray of int, (478, 3)
        Vertices of the triangle.
    weights : ndarray, (478, 3)
        Barycentric coordinates in it.
    """

    corners: NDArray[np.int64]
    weights: Points


def place_landmarks(model: HeadModel, landmarker: FaceLandmarker) -> LandmarkPlaces:
    """Find the landmarks on a picture of the neutral head, and what of it is seen there."""
    size, scene = 768, HeadScene(zoom=0.75)
    head = model.render(model.neutral, {}, scene, size)
    shape = crop_shapes(landmarker, [head.picture])[0]
    if shape is None:
        raise ValueError("no face is seen in the neutral head")
    points = model.turned(model.neutral, scene)
    names = list(PARTS)
    part = model.part[model.triangles[:, 0]]
    flat = project(points, scene, size)[model.triangles]
    front = points[:, 2][model.triangles].mean(axis=1)
    middles = flat.mean(axis=1)
    corners, weights = np.zeros((LANDMARKS, 3), np.int64), np.zeros((LANDMARKS, 3))
    for i, point in enumerate(shape.landmarks[:, :2]):
        rows = np.flatnonzero(part == names.index("eyes" if i >= _IRISES else "face"))
        away = np.linalg.norm(middles[rows] - point, axis=1)
        rows = rows[np.argsort(away)[:_NEAREST]]
        shares = _barycentric(flat[rows], point[None])
        inside = (shares > -1e-3).all(axis=1)
        # What is in front is seen; a landmark beside the head is put on its edge.
        best = np.where(inside, front[rows], -np.inf).argmax() if inside.any() else 0
        corners[i] = model.triangles[rows[best]]
        clipped = shares[best].clip(0, 1) if inside.any() else np.ones(3)
        weights[i] = clipped / clipped.sum()
    return LandmarkPlaces(corners, weights)


class Portrait:
    """A photograph of a face at rest that a head model moves.

    Parameters
    ----------
    model : HeadModel
    places : LandmarkPlaces
        Of the model.
    picture : ndarray of uint8, (S, S, 3)
        RGB.
    landmarks : ndarray, (478, 3)
        Of the face in the picture, in pixels.

    Attributes
    ----------
    picture : ndarray of uint8, (S, S, 3)
    scene : HeadScene
        How the head is turned in the photograph.
    misfit : float
        Mean distance in cm of the landmarks from those of the head model, seen as it is here.
    """

    def __init__(
        self,
        model: HeadModel,
        places: LandmarkPlaces,
        picture: NDArray[np.uint8],
        landmarks: Points,
    ) -> None:
        self._model, self.picture = model, picture
        vertices = (model.neutral - model.center).astype(np.float64)
        seen = landmarks[:, :2].astype(np.float64)
        on_model = (vertices[places.corners] * places.weights[:, :, None]).sum(axis=1)
        camera = np.linalg.lstsq(_with_one(on_model[:_IRISES]), seen[:_IRISES], rcond=None)[0]
        self._to_pixels = camera[:3]
        self._rotation, scale = _rotation(camera[:3])
        placed = _with_one(on_model) @ camera
        self.misfit = float(np.linalg.norm(seen - placed, axis=1).mean() / scale)
        projected = _with_one(vertices) @ camera
        # Places where several landmarks lie would make the plate's equations singular.
        _, single = np.unique(np.round(placed, 1), axis=0, return_index=True)
        self._pixels = projected + _thin_plate(placed[single], (seen - placed)[single], projected)
        yaw, pitch = np.degrees(np.arcsin(self._rotation[:2, 2]))
        self.scene = HeadScene(float(yaw), float(pitch), _LIGHT)
        shown = np.isin(model.part, [i for i, name in enumerate(PARTS) if name != "head"])
        self._triangles = model.triangles[shown[model.triangles].all(axis=1)]
        self._part = model.part[self._triangles[:, 0]]
        self._vertices = vertices @ self._rotation.T  # as the camera sees them
        self._normals = _normals(self._vertices, self._triangles)
        self._skin = _skin(picture, seen)
        self._openings = _openings(picture, seen)
        eyes = picture[self._openings]
        self._white = np.quantile(eyes, 0.9, axis=0) if len(eyes) else self._skin

    def render(self, strengths: dict[str, float]) -> RenderedHead:
        """Show expressions on the photograph.

        Parameters
        ----------
        strengths : dict of str to float
            By their names in the model, up to 1.
        """
        import cv2

        model, picture = self._model, self.picture
        height, width = picture.shape[:2]
        moved = np.zeros_like(self._vertices)
        for name, strength in strengths.items():
            side_of = name.removesuffix("_L").removesuffix("_R")
            moved += strength * AMPLIFIED.get(side_of, 1.0) * model.offsets[name]
        pixels = self._pixels + moved @ self._to_pixels
        vertices = self._vertices + moved @ self._rotation.T
        corners = pixels[self._triangles]
        depth = vertices[:, 2][self._triangles].mean(axis=1)
        front = np.flatnonzero(_areas(corners) < 0)  # rows of pixels go down: clockwise
        front = front[np.argsort(depth[front], kind="stable")]
        owner = paint_triangles(corners[front], height, width)
        y, x = np.nonzero(owner >= 0)
        triangle = front[owner[y, x]]
        inside = _barycentric(corners[triangle], np.stack([x, y], axis=1) + 0.5).clip(0, 1)
        inside /= inside.sum(axis=1, keepdims=True)
        where = self._triangles[triangle]
        source = (self._pixels[where] * inside[..., None]).sum(axis=1) - 0.5
        normals = _normals(vertices, self._triangles)
        light = _shade(normals)
        shade = np.ones((height, width), np.float32)
        shade[y, x] = (self._reshaded(normals, light)[where] * inside).sum(axis=1)
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32),
                                    np.arange(height, dtype=np.float32))  # fmt: skip
        columns[y, x], rows[y, x] = source.T
        result = cv2.remap(
            picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.float32)
        result *= cv2.GaussianBlur(shade, (0, 0), 0.004 * width)[..., None]
        part, lit = self._part[triangle], (light[where] * inside).sum(axis=1)
        for i, (name, (_, _, color)) in enumerate(PARTS.items()):
            if name in _INSIDE:
                here = part == i
                result[y[here], x[here]] = self._toned(color) * _INSIDE[name] * lit[here][:, None]
            elif name == "eyes":  # of an eye that was less open, the photograph shows the lid
                at = np.rint(source).astype(int).clip(0, (width - 1, height - 1))
                here = (part == i) & ~self._openings[at[:, 1], at[:, 0]]
                if here.any():
                    result[y[here], x[here]] = self._white
        return RenderedHead(result.clip(0, 255).astype(np.uint8), strengths, self.scene)

    def _reshaded(self, normals: Points, light: Points) -> Points:
        """How much lighter each vertex is than in the photograph."""
        lighter = (light / _shade(self._normals)).clip(*_SHADES)
        facing = np.minimum(self._normals[:, 2], normals[:, 2])
        return 1 + (lighter - 1) * ((facing - _GRAZING) / (_FACING - _GRAZING)).clip(0, 1)

    def _toned(self, color: tuple[int, int, int]) -> Points:
        """Return a color of the head model's mouth as it is in this photograph's light."""
        gray = np.ptp(self._skin) < _PLAIN
        plain = np.full(3, np.mean(color)) if gray else np.array(color, np.float64)
        return plain * self._white.mean() / np.mean(PARTS["eyes"][2])


def read_portraits(model: HeadModel, pictures: Iterable[NDArray[np.uint8]]) -> Iterator[Portrait]:
    """Make portraits of those crops of faces that are seen from the front and fit the head model.

    Parameters
    ----------
    model : HeadModel
    pictures : iterable of ndarray, each (S, S, 3) or gray (S, S), uint8
        Faces at rest.
    """
    import cv2

    landmarker = FaceLandmarker()
    places = place_landmarks(model, landmarker)
    for picture in pictures:
        grows = len(picture) < SIDE
        scaled = cv2.resize(
            picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA
        )
        gray = scaled[..., None] if scaled.ndim == 2 else scaled
        rgb = np.ascontiguousarray(np.broadcast_to(gray, (SIDE, SIDE, 3)), np.uint8)
        shape = crop_shapes(landmarker, [rgb])[0]
        if shape is None or shape.presence < SURE:
            continue
        portrait = Portrait(model, places, rgb, shape.landmarks)
        scene = portrait.scene
        turned = abs(scene.yaw) > MAX_YAW or abs(scene.pitch) > MAX_PITCH
        if not turned and portrait.misfit <= MAX_MISFIT:
            yield portrait


def render_portrait(model: HeadModel, portrait: Portrait, seed: int) -> Iterator[RenderedHead]:
    """Move a portrait as :func:`~.render.render_person` does a head: with the same expressions."""
    for strengths in draw_expressions(model, np.random.default_rng(seed)):
        yield portrait.render(strengths)


def _with_one(points: Points) -> Points:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)


def _rotation(camera: Points) -> tuple[Points, float]:
    """Return the turn (3, 3) of an affine camera (3, 2), and its scale in pixels per cm."""
    right, up = camera[:, 0], -camera[:, 1]
    scale = float(np.linalg.norm(right) + np.linalg.norm(up)) / 2
    right = right / np.linalg.norm(right)
    up = up - (up @ right) * right
    up /= np.linalg.norm(up)
    return np.stack([right, up, np.cross(right, up)]), scale


def _thin_plate(places: Points, offsets: Points, asked: Points) -> Points:
    """Interpolate offsets (N, 2) at places (N, 2) as a thin plate bends: (M, 2).

    Bookstein, "Principal Warps", PAMI 1989.
    """
    scale = places.std()
    places, asked = places / scale, asked / scale

    def bent(a: Points) -> Points:
        squares = np.square(a).sum(axis=1)[:, None] + np.square(places).sum(axis=1)
        squares = (squares - 2 * a @ places.T).clip(0)
        return squares * np.log(squares + 1e-9)

    n, flat = len(places), np.concatenate([np.ones((len(places), 1)), places], axis=1)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = bent(places) + STIFFNESS * np.eye(n)
    system[:n, n:], system[n:, :n] = flat, flat.T
    weights = np.linalg.solve(system, np.concatenate([offsets, np.zeros((3, 2))]))
    parts = [
        bent(part) @ weights[:n] + np.concatenate([np.ones((len(part), 1)), part], axis=1)
        @ weights[n:]
        for part in np.array_split(asked, max(len(asked) // 4000, 1))
    ]  # fmt: skip
    return np.concatenate(parts)


def _areas(corners: Points) -> Points:
    """Twice the signed areas of triangles (N, 3, 2)."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _barycentric(corners: Points, points: Points) -> Points:
    """Return coordinates (N, 3) of points (N, 2), or of one (1, 2), in triangles (N, 3, 2)."""
    a, b, c = (corners[:, k] - points for k in range(3))
    area = _areas(corners)
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    first = (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) / area
    second = (c[:, 0] * a[:, 1] - c[:, 1] * a[:, 0]) / area
    return np.stack([first, second, 1 - first - second], axis=1)


def _normals(vertices: Points, triangles: NDArray[np.integer]) -> Points:
    """Unit normals of a surface at its vertices (V, 3)."""
    corners = vertices[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    at, count = triangles.ravel(), len(vertices)
    spread = np.repeat(across, 3, axis=0)
    normals = np.stack([np.bincount(at, spread[:, k], count) for k in range(3)], axis=1)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)


def _shade(normals: Points) -> Points:
    light = np.array(_LIGHT) / np.linalg.norm(_LIGHT)
    return AMBIENT + (1 - AMBIENT) * np.clip(normals @ light, 0, None)


def paint_triangles(corners: Points, height: int, width: int) -> NDArray[np.int64]:
    """Paint triangles (N, 3, 2), later ones over earlier: which one each pixel shows, -1: none."""
    corners = corners.astype(np.float32) - np.float32(0.5)  # pixels' centers at whole numbers
    low = np.ceil(corners.min(axis=1)).astype(np.int64).clip(0)
    high = np.floor(corners.max(axis=1)).astype(np.int64)
    high = np.minimum(high, [width - 1, height - 1])
    span = (high - low + 1).clip(0)
    side = np.where((span > 0).all(axis=1), span.max(axis=1), 0)
    pixels, owners, smaller = [], [], 0
    for largest in (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, max(height, width)):
        rows = np.flatnonzero((side > smaller) & (side <= largest))
        smaller = largest
        if not len(rows):
            continue
        y, x = np.mgrid[:largest, :largest]
        x, y = low[rows, :1] + x.ravel(), low[rows, 1:] + y.ravel()
        a, b, c = (corners[rows, k] for k in range(3))
        sides = [
            (q[:, :1] - p[:, :1]) * (y - p[:, 1:]) - (q[:, 1:] - p[:, 1:]) * (x - p[:, :1])
            for p, q in ((a, b), (b, c), (c, a))
        ]
        inside = np.maximum.reduce(sides) <= 1e-4
        inside &= (x <= high[rows, :1]) & (y <= high[rows, 1:])
        row, column = np.nonzero(inside)
        pixels.append(y[row, column] * width + x[row, column])
        owners.append(rows[row])
    painted = np.full(height * width, -1, np.int64)
    if pixels:
        pixel, owner = np.concatenate(pixels), np.concatenate(owners)
        np.maximum.at(painted, pixel, owner)
    return painted.reshape(height, width)


def _skin(picture: NDArray[np.uint8], landmarks: Points) -> Points:
    height, width = picture.shape[:2]
    at = landmarks[list(_CHEEKS)].astype(int).clip(0, (width - 1, height - 1))
    return np.median(picture[at[:, 1], at[:, 0]], axis=0).astype(np.float64)


def _openings(picture: NDArray[np.uint8], landmarks: Points) -> NDArray[np.bool_]:
    """Return where a photograph shows eyes, (S, S)."""
    import cv2

    mask = np.zeros(picture.shape[:2], np.uint8)
    for outline in EYES:
        cv2.fillPoly(mask, [np.rint(landmarks[list(outline)] - 0.5).astype(np.int32)], 1)
    return mask > 0
