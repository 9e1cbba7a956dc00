"""Measure which blendshapes move when a face moves: single actions of rendered heads.

    python tools/measure_weak_actions.py ict_facekit.npz [--pictures FOLDER]

``ict_facekit.npz`` holds ICT-FaceKit's face model, see emoclip_sdk.training.heads.render. Heads
of some identities are drawn neutral and with each action fully on, both sides at once, in plain
colors and plain light; the package's landmark network looks at them.
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
from emoclip_sdk.training.heads.render import HeadModel, HeadScene

SIZE = 512  # pixels
HEADS = 4


def main() -> None:
    """Draw all heads and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the first head")
    args = parser.parse_args()
    model = HeadModel(args.model)
    actions = {name: sides for name, sides in model.expressions.items() if columns(name)}
    random = np.random.default_rng(0)
    landmarker = FaceLandmarker()
    scores: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ["", *actions]}
    for number in range(HEADS):
        person = model.person(random) if number else model.neutral
        pictures = {
            name: model.render(
                person, dict.fromkeys(actions.get(name, ()), 1.0), HeadScene(zoom=0.7), SIZE
            ).picture
            for name in scores
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


def columns(action: str) -> list[int]:
    """Return the places of an action's blendshapes: one, or that of each side."""
    names = (action, f"{action}Left", f"{action}Right")
    return [i for i, name in enumerate(BLENDSHAPES) if name in names]


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
