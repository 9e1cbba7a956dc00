"""Drawn people, and a detector that follows a script."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import (
    Detection,
    Face,
    FrameFaces,
    face_frames,
)
from emoclip_sdk.video import Frame

RATE = 7.0


SIZE = (160, 240)  # height, width


People = dict[str, tuple[float, float, float]]  # name: center x, center y, side


Script = Callable[[int], People]


def looks(name: str) -> np.ndarray:
    """A person's face, and what is about it: blurred noise of its own."""
    rng = np.random.default_rng(sum(map(ord, name)))
    coarse = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC))


def draw(i: int, people: People, scene: str = "") -> Frame:
    rgb = np.full((*SIZE, 3), 90, np.uint8)
    if scene != "flat":
        rgb = np.array(Image.fromarray(looks("background" + scene)).resize(SIZE[::-1]))
    for name, (x, y, side) in people.items():
        half = round(side * 0.9)
        face = Image.fromarray(looks(name)).resize((2 * half, 2 * half))
        canvas = Image.fromarray(rgb)
        canvas.paste(face, (round(x) - half, round(y) - half))
        rgb = np.array(canvas)
    rgb[0, 0] = i  # what the scripted detector goes by
    return Frame(i, i / RATE, rgb)


class Scripted:
    """A detector that knows the script, and remembers what it was asked."""

    def __init__(self, script: Script, confidence: float = 0.99) -> None:
        self.script = script
        self.confidence = confidence
        self.asked: list[list[int]] = []

    def detect(self, frames: list[np.ndarray]) -> list[list[Detection]]:
        numbers = [int(rgb[0, 0, 0]) for rgb in frames]
        self.asked.append(numbers)
        detections = []
        for i in numbers:
            boxes = [
                (x - s / 2, y - s / 2, x + s / 2, y + s / 2) for x, y, s in self.script(i).values()
            ]
            detections.append([Detection(box, self.confidence) for box in boxes])
        return detections


def run(
    script: Script,
    n: int,
    *,
    every: int = 4,
    scene: Callable[[int], str] = lambda i: "",
    drawn: Script | None = None,
) -> tuple[list[FrameFaces], Scripted]:
    """`script` is what is detected, `drawn` what is really there."""
    detector = Scripted(script)
    frames = (draw(i, (drawn or script)(i), scene(i)) for i in range(n))
    config = FaceConfig(detect_every=every, margin=0.0)
    return list(face_frames(frames, config, size=32, detector=detector)), detector


def tracks(result: list[FrameFaces]) -> list[str]:
    return ["".join(str(f.track) for f in frame.faces) for frame in result]


def owner(face: Face, people: People) -> str:
    """Whose face a crop shows, by its center."""
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return min(people, key=lambda name: np.hypot(people[name][0] - x, people[name][1] - y))
