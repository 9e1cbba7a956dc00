"""Measure which blendshapes move when a face moves: single actions of rendered heads.

    python tools/measure_weak_actions.py ict_facekit.npz [--pictures FOLDER]

``ict_facekit.npz`` holds ICT-FaceKit's face model (Li et al., "Learning Formation of Physically-
Based Face Attributes", 2020; MIT license) as arrays: V (26719, 3) vertices of the neutral head in
cm, T (52220, 3) triangles, E (57, 26719, 3) offsets of the expressions `names`, I (100, 26719, 3)
offsets of identities. Heads of some identities are drawn neutral and with each action fully on,
both sides at once, in plain colors and plain light; the package's landmark network looks at them.
Prints for each action the blendshape of that name, neutral and with the action, and the other
blendshape that rises most; means over the heads. A minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emoclip_sdk.faces.landmarks import FaceLandmarker
from emoclip_sdk.faces.shapes import crop_shapes
from emoclip_sdk.nn.blendshapes import BLENDSHAPES

SIZE = 512  # pixels
HEADS = 4
DISTANCE, FOCAL = 70.0, 1450.0  # of the camera, in cm and pixels
LIGHT = np.array([0.3, 0.5, 0.8]) / np.linalg.norm([0.3, 0.5, 0.8])
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
EYES = ((21451, 23021), (23021, 24591))
IRIS, PUPIL = 0.6, 0.25  # cm from the middle of an eye's front

Vertices = NDArray[np.float32]


def main() -> None:
    """Draw all heads and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the first head")
    args = parser.parse_args()
    file = np.load(args.model)
    actions = named_offsets(file["E"], [str(name) for name in file["names"]])
    head = Head(file["V"], file["T"])
    identities = file["I"].astype(np.float32)
    random = np.random.default_rng(0)
    landmarker = FaceLandmarker()
    scores: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ["", *actions]}
    for number in range(HEADS):
        weights = random.standard_normal(len(identities)).astype(np.float32) * bool(number) * 0.7
        person = file["V"] + np.tensordot(weights, identities, 1)
        pictures = {
            name: head.draw(person + actions.get(name, np.float32(0)), person) for name in scores
        }
        shapes = crop_shapes(landmarker, list(pictures.values()))
        for (name, picture), shape in zip(pictures.items(), shapes, strict=True):
            if args.pictures is not None and not number:
                args.pictures.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(args.pictures / f"{name or 'neutral'}.png"), picture[..., ::-1])
            if shape is None:
                print(f"head {number}, {name or 'neutral'}: the network sees no face")
            nothing = np.full(len(BLENDSHAPES), np.nan, np.float32)
            scores[name].append(nothing if shape is None else shape.blendshapes)
    report({name: np.array(rows) for name, rows in scores.items()})


def named_offsets(offsets: NDArray[np.float16], names: list[str]) -> dict[str, Vertices]:
    """Join both sides of each action, under ARKit's name without its side.

    Those of gaze are left out: they move the lids, but not the eyes.
    """
    actions: dict[str, Vertices] = {}
    for name, offset in zip(names, offsets, strict=True):
        action = name.removesuffix("_L").removesuffix("_R")
        if columns(action) and not action.startswith("eyeLook"):
            actions[action] = actions.get(action, np.float32(0)) + offset.astype(np.float32)
    return actions


def columns(action: str) -> list[int]:
    """Return the places of an action's blendshapes: one, or that of each side."""
    names = (action, f"{action}Left", f"{action}Right")
    return [i for i, name in enumerate(BLENDSHAPES) if name in names]


class Head:
    """Draws a head.

    Parameters
    ----------
    vertices : ndarray, (V, 3)
        Of the neutral head of the average person, which place the camera.
    triangles : ndarray, (T, 3)
    """

    def __init__(self, vertices: Vertices, triangles: NDArray[np.int32]) -> None:
        part = np.full(len(vertices), -1)
        for i, (first, end, _) in enumerate(PARTS.values()):
            part[first:end] = i
        self.triangles = triangles[(part[triangles] >= 0).all(axis=1)]
        self.part = part
        face = vertices[: PARTS["face"][1]]
        self.center = (face.min(axis=0) + face.max(axis=0)) / 2

    def draw(self, vertices: Vertices, neutral: Vertices) -> NDArray[np.uint8]:
        """Return a picture (S, S, 3), RGB; `neutral` tells where the irises are in the eyes."""
        colors = np.array([color for _, _, color in PARTS.values()], np.float32)[self.part]
        for first, end in EYES:
            eye = neutral[first:end]
            front = eye[eye[:, 2].argmax()]
            away = np.linalg.norm(eye - front, axis=1)
            colors[first:end][away < IRIS] = (95, 70, 50)
            colors[first:end][away < PUPIL] = (15, 15, 15)
        points = vertices - self.center
        depth = DISTANCE - points[:, 2]
        x = SIZE / 2 + FOCAL * points[:, 0] / depth
        y = SIZE / 2 - FOCAL * points[:, 1] / depth
        corners = points[self.triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
        shade = 0.35 + 0.65 * np.abs(normals @ LIGHT)
        fill = (colors[self.triangles].mean(axis=1) * shade[:, None]).tolist()
        pixels = np.stack([x, y], axis=1)[self.triangles]
        places = np.round(pixels * 16).astype(np.int32)
        picture = np.full((SIZE, SIZE, 3), 120, np.uint8)
        for i in np.argsort(-depth[self.triangles].mean(axis=1)):  # far ones first
            cv2.fillConvexPoly(picture, places[i], fill[i], cv2.LINE_8, 4)
        return picture


def report(scores: dict[str, NDArray[np.float32]]) -> None:
    """Print a row for each action, the weakest first."""
    neutral = scores.pop("")
    rows = []
    for action, values in scores.items():
        own = columns(action)
        before, after = np.nanmean(neutral[:, own]), np.nanmean(values[:, own])
        rise = np.nanmean(values - neutral, axis=0)
        rise[own] = -1
        other = f"{BLENDSHAPES[rise.argmax()]} {rise.max():.2f}"
        rows.append((after - before, action, before, after, other))
    print(f"{'action':18} {'neutral':>8} {'fully on':>8} {'rise':>6}   other that rises most")
    for change, action, before, after, other in sorted(rows):
        print(f"{action:18} {before:8.2f} {after:8.2f} {change:6.2f}   {other}")


if __name__ == "__main__":
    main()
