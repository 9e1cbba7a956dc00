"""How small may faces be? `python benchmarks/small_faces.py [FOLDER]`

Pictures of a video call, 1920 x 1080, n x n persons: head and shoulders over most of a tile's
height ("close") or 7 tenths of that ("usual"), from portraits in FOLDER (squares, the face about
six tenths of their height) or from the portrait inside the package. Counts the faces that are
found: by the first look alone, as it is by default, with ``min_face=20``, and by facenet-pytorch's
own ``detect``. Milliseconds are processor time, one thread, the median of some pictures.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.faces import MTCNNDetector
from emoclip_sdk.faces.small_faces import SmallFaceSearch
from emoclip_sdk.video import open_video

WIDTH, HEIGHT, SEAM = 1920, 1080, 4  # pixels
PICTURES = 3
CONFIDENCE = 0.9

Picture = NDArray[np.uint8]


def portraits(folder: str | None) -> list[Picture]:
    """Return pictures of single faces, (H, W, 3) of RGB."""
    if folder is None:
        return [frame.rgb[22:186, 113:277] for frame in open_video(portrait()).sample(7)]
    paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".png"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def video_call(people: Sequence[Picture], n: int, scale: float, seed: int) -> Picture:
    """Return a picture of n x n tiles, each with a person at its lower edge."""
    chance = random.Random(seed)
    chosen = [chance.choice(people) for _ in range(n * n)]
    if len(people) >= n * n:
        chosen = chance.sample(list(people), n * n)
    frame = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    width, height = WIDTH // n - SEAM, HEIGHT // n - SEAM
    for i, person in enumerate(chosen):
        y, x = i // n * (HEIGHT // n) + SEAM // 2, i % n * (WIDTH // n) + SEAM // 2
        h = round(height * scale)
        w = round(h * person.shape[1] / person.shape[0])
        frame[y : y + height, x : x + width] = np.median(person.reshape(-1, 3), axis=0)
        x += (width - w) // 2
        small = cv2.resize(person, (w, h), interpolation=cv2.INTER_AREA)
        frame[y + height - h : y + height, x : x + w] = small
    return frame


def library() -> Callable[[Picture], Sequence[float]]:
    """Return what finds confidences as facenet-pytorch does."""
    from facenet_pytorch import MTCNN

    mtcnn = MTCNN(keep_all=True, device="cpu")

    def find(picture: Picture) -> Sequence[float]:
        boxes, confidences = mtcnn.detect(picture)
        return [] if boxes is None else list(confidences)

    return find


def main(folder: str | None) -> None:
    """Print a line for each number of persons and each way of looking."""
    torch.set_num_threads(1)
    people = portraits(folder)
    detector = MTCNNDetector()

    def ours(min_face: float | None) -> Callable[[Picture], Sequence[float]]:
        # A new search each time: as for the first frame of a video.
        return lambda picture: [
            d.confidence for d in SmallFaceSearch(detector, CONFIDENCE, min_face)([picture])[0]
        ]

    looks: dict[str, Callable[[Picture], Sequence[float]]] = {
        "first look": lambda picture: [d.confidence for d in detector.detect([picture])[0]],
        "default": ours(None),
        "min_face=20": ours(20),
        "facenet-pytorch": library(),
    }
    print("persons  size   " + "".join(f"{name:>24}" for name in looks))
    for scale, name in ((1.0, "close"), (0.7, "usual")):
        for n in (1, 2, 3, 5, 6, 7):
            pictures = [video_call(people, n, scale, seed) for seed in range(PICTURES)]
            cells = []
            for look in looks.values():
                found, seconds = [], []
                for picture in pictures:
                    start = time.process_time()
                    confidences = look(picture)
                    seconds.append(time.process_time() - start)
                    found.append(sum(c >= CONFIDENCE for c in confidences))
                share = f"{sum(found)} of {n * n * len(pictures)}"
                cells.append(f"{share:>14} {statistics.median(seconds) * 1e3:6.0f} ms")
            print(f"{n} x {n:<4} {name:<6}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
