"""Rendered heads of ICT-FaceKit, of which is known exactly what each half of the face does.

The face model (Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR 2020; MIT
license) is not part of the package. ``ict_facekit.npz`` holds its ``FaceXModel`` as arrays: V (V,
3) vertices of the neutral head in cm, T (T, 3) triangles, E (E, V, 3) offsets of the expressions
`names`, I (K, V, 3) offsets of identities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError

__all__ = ["HeadModel", "HeadScene", "RenderedHead", "draw_expressions", "project", "render_person"]

SIZE = 192
"""Side of the pictures in pixels."""
DISTANCE, FOCAL = 70.0, 3.7  # of the camera, in cm and in sides of the picture
CENTER_UP = 3.6  # cm from the middle of the face up to that of the picture
AMBIENT = 0.35
# Parts of the model by ranges of vertices, with their colors. Lashes, which are solid bands, and
# what is transparent are left out.
PARTS = {
    "face": (0, 9409, (205, 155, 130)),
    "head": (9409, 11248, (205, 155, 130)),
    "mouth": (11248, 13294, (110, 50, 50)),
    "eye sockets": (13294, 14062, (150, 95, 85)),
    "gums and tongue": (14062, 17039, (170, 85, 85)),
    "teeth": (17039, 21451, (235, 230, 215)),
    "eyes": (21451, 24591, (235, 235, 235)),
}
VERTICES = 26719
EYES = ((21451, 23021), (23021, 24591))
IRIS, PUPIL = 0.6, 0.25  # cm from the middle of an eye's front
IDENTITY = 0.7  # of the deviation that the model's identities have

# Expressions of a person's pictures: none, each alone, a few at once. Gaze moves lids but no eyes,
# and the others can't be told in a picture.
AT_REST, TOGETHER = 4, 16
_UNSEEN = ("eyeLook", "PupilDilate", "mouthClose")
_BOTH = 0.65  # share of expressions that both sides show
_YAW, _PITCH = 9.0, 6.0  # degrees, deviations of the head's turn

Vertices = NDArray[np.float32]


@dataclass(frozen=True)
class HeadScene:
    """How a head is seen.

    Attributes
    ----------
    yaw, pitch : float
        Turn to the person's own left, and upward, in degrees.
    light : tuple of float
        Direction from which the light comes: right, up, to the camera.
    zoom : float
        1: the face fills the picture as it does a crop of FER+; 0.7: it is seen with its edges.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    light: tuple[float, float, float] = (0.3, 0.5, 0.8)
    zoom: float = 1.0


@dataclass(frozen=True)
class RenderedHead:
    """One picture.

    Attributes
    ----------
    picture : ndarray of uint8, (S, S, 3)
        RGB.
    strengths : dict of str to float
        Of the expressions that it shows, by their names in the model, above 0 and up to 1.
    scene : HeadScene
    """

    picture: NDArray[np.uint8]
    strengths: dict[str, float]
    scene: HeadScene


class HeadModel:
    """ICT-FaceKit's head.

    Parameters
    ----------
    path : str or Path
        ``ict_facekit.npz``.

    Raises
    ------
    DatasetError
        The file can't be read, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            with np.load(path) as file:
                self.neutral: Vertices = file["V"].astype(np.float32)
                triangles = file["T"]
                names = [str(name) for name in file["names"]]
                offsets: Vertices = file["E"].astype(np.float32)
                self._identities: Vertices = file["I"].astype(np.float32)
            if self.neutral.shape != (VERTICES, 3):
                raise ValueError(f"V is {self.neutral.shape}, not {(VERTICES, 3)}")
        except OSError as error:
            raise DatasetError(f"{path}: can't be read ({error.strerror or error})") from error
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            what = f"not ICT-FaceKit's arrays V, T, E, I, names ({error})"
            raise DatasetError(f"{path}: {what}") from error
        self.offsets = dict(zip(names, offsets, strict=True))
        """Expression (its sides apart) to what it moves, (V, 3)."""
        part = np.full(len(self.neutral), -1)
        for i, (first, end, _) in enumerate(PARTS.values()):
            part[first:end] = i
        self.part = part
        """Row of `PARTS` of each vertex, (V,); -1: none."""
        self.triangles = triangles[(part[triangles] >= 0).all(axis=1)]
        face = self.neutral[: PARTS["face"][1]]
        self.center = (face.min(axis=0) + face.max(axis=0)) / 2

    @property
    def expressions(self) -> dict[str, tuple[str, ...]]:
        """Expressions that a picture shows: ARKit's name to the model's, one or one a side."""
        sides: dict[str, tuple[str, ...]] = {}
        for name in self.offsets:
            if not name.startswith(_UNSEEN):
                action = name.removesuffix("_L").removesuffix("_R")
                sides[action] = (*sides.get(action, ()), name)
        return sides

    def person(self, rng: np.random.Generator) -> Vertices:
        """Draw somebody's neutral head, (V, 3)."""
        weights = IDENTITY * rng.standard_normal(len(self._identities)).astype(np.float32)
        return self.neutral + np.tensordot(weights, self._identities, 1)

    def render(
        self, person: Vertices, strengths: dict[str, float], scene: HeadScene, size: int = SIZE
    ) -> RenderedHead:
        """Draw a person with expressions, in plain colors."""
        moved = person.copy()
        for name, strength in strengths.items():
            moved += np.float32(strength) * self.offsets[name]
        picture = self._draw(self.turned(moved, scene), self.turned(person, scene), scene, size)
        return RenderedHead(picture, strengths, scene)

    def turned(self, vertices: Vertices, scene: HeadScene) -> Vertices:
        """Turn a head as a scene says, about the middle of its face."""
        yaw, pitch = np.radians(scene.yaw), np.radians(-scene.pitch)
        cos, sin = np.cos(yaw), np.sin(yaw)
        around = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        cos, sin = np.cos(pitch), np.sin(pitch)
        over = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        turn = (over @ around).astype(np.float32)
        return (vertices - self.center) @ turn.T

    def _draw(
        self, points: Vertices, neutral: Vertices, scene: HeadScene, size: int
    ) -> NDArray[np.uint8]:
        import cv2

        light = np.array(scene.light) / np.linalg.norm(scene.light)
        colors = np.array([color for _, _, color in PARTS.values()], np.float32)[self.part]
        for first, end in EYES:
            eye = neutral[first:end]
            away = np.linalg.norm(eye - eye[eye[:, 2].argmax()], axis=1)
            colors[first:end][away < IRIS] = (95, 70, 50)
            colors[first:end][away < PUPIL] = (15, 15, 15)
        corners = points[self.triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
        shade = AMBIENT + (1 - AMBIENT) * np.abs(normals @ light)
        fill = (colors[self.triangles].mean(axis=1) * shade[:, None]).tolist()
        places = np.round(project(points, scene, size)[self.triangles] * 16).astype(np.int32)
        picture = np.full((size, size, 3), 120, np.uint8)
        for i in np.argsort(
            (points[:, 2] - DISTANCE)[self.triangles].mean(axis=1)
        ):  # far ones first
            cv2.fillConvexPoly(picture, places[i], fill[i], cv2.LINE_8, 4)
        return picture


def project(points: Vertices, scene: HeadScene, size: int) -> NDArray[np.floating]:
    """Return where the camera sees points (V, 3) in a picture of `size` pixels: (V, 2)."""
    depth = DISTANCE - points[:, 2]
    focal = FOCAL * scene.zoom
    x = size * (0.5 + focal * points[:, 0] / depth)
    y = size * (0.5 - focal * (points[:, 1] - CENTER_UP) / depth)
    return np.stack([x, y], axis=1)


def draw_expressions(model: HeadModel, rng: np.random.Generator) -> Iterator[dict[str, float]]:
    """Draw what a person's pictures show: nothing, each expression alone, and a few at once.

    An expression has a random strength, and in a third of the cases one side alone.
    """
    known = model.expressions
    actions = list(known)
    few = [list(rng.choice(actions, rng.integers(2, 4), replace=False)) for _ in range(TOGETHER)]
    for shown in [[] for _ in range(AT_REST)] + [[action] for action in actions] + few:
        strengths: dict[str, float] = {}
        for action in shown:
            strength, sides = rng.uniform(0.35, 1), known[action]
            both, one = rng.random() < _BOTH, rng.integers(2)
            for i, name in enumerate(sides):
                if len(sides) == 1 or both or i == one:
                    strengths[name] = float(strength)
        yield strengths


def render_person(model: HeadModel, seed: int) -> Iterator[RenderedHead]:
    """Draw pictures of one person with the expressions of :func:`draw_expressions`.

    Turn of the head and light are random. The same seed gives the same pictures.

    Parameters
    ----------
    model : HeadModel
    seed : int
        Who it is.
    """
    rng = np.random.default_rng(seed)
    person = model.person(rng)
    for strengths in draw_expressions(model, rng):
        light = (rng.uniform(-0.7, 0.7), rng.uniform(0, 0.7), 0.8)
        scene = HeadScene(rng.normal(0, _YAW), rng.normal(0, _PITCH), light)
        yield model.render(person, strengths, scene)
