"""Landmarks and blendshapes of 32 crops on one thread, beside MediaPipe's runtime.

    pip install ai-edge-litert
    python -m benchmarks.face_landmarks face_landmarker.task

TFLite's interpreter (XNNPACK), which MediaPipe runs the two networks with, and the torch modules
take turns on the same crops, so that other work on the machine meets both. The last row is both
networks, and on our side also what cuts the crops out of a frame. Prints milliseconds of processor
time a face and the ratio: the quickest of all rounds, the lower quartile, and the median.
"""

from __future__ import annotations

import statistics
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emoclip_sdk.faces.landmarks import FaceLandmarker, load_face_networks
from emoclip_sdk.faces.regions import FaceRegion
from emoclip_sdk.nn.blendshapes import BLENDSHAPE_POINTS
from emoclip_sdk.nn.face_landmarks import CROP_SIZE

__all__ = ["main"]

ROUNDS = 20
CROPS = 32


def main(task: Path) -> None:
    """Print a row for each network and runtime."""
    torch.set_num_threads(1)
    landmarks, blendshapes = load_face_networks()
    random = np.random.default_rng(0)
    crops = random.random((CROPS, CROP_SIZE, CROP_SIZE, 3), np.float32)
    points = random.random((CROPS, len(BLENDSHAPE_POINTS), 2), np.float32)
    pictures, pairs = torch.from_numpy(crops).permute(0, 3, 1, 2), torch.from_numpy(points)
    landmarker = FaceLandmarker()
    frame = random.integers(0, 256, (720, 1280, 3), np.uint8)
    frames, regions = [frame] * CROPS, [FaceRegion(640.0, 360.0, 240.0, 0.1)] * CROPS
    with zipfile.ZipFile(task) as archive, torch.inference_mode():
        detect = interpreter(archive, "landmarks_detector", crops)
        score = interpreter(archive, "blendshapes", points)
        rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
            ("landmarks", lambda: landmarks(pictures), detect),
            ("blendshapes", lambda: blendshapes(pairs), score),
            ("both, crops", lambda: landmarker(frames, regions), lambda: (detect(), score())),
        ]
        for name, ours, theirs in rows:
            seconds: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS + 1):
                for run, times in zip((ours, theirs), seconds, strict=True):
                    begun = time.process_time()
                    run()
                    times.append(1000 * (time.process_time() - begun) / CROPS)
            row = []
            for summary in (min, lambda times: statistics.quantiles(times)[0], statistics.median):
                torch_ms, tflite_ms = (summary(times[1:]) for times in seconds)
                row.append(f"{torch_ms:.2f} / {tflite_ms:.2f} = {torch_ms / tflite_ms:.2f}")
            print(f"{name:12} {'   '.join(row)}", flush=True)


def interpreter(
    archive: zipfile.ZipFile, name: str, inputs: NDArray[np.float32]
) -> Callable[[], None]:
    """Return a function that takes all inputs through one of the file's networks."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(model_content=archive.read(f"face_{name}.tflite"), num_threads=1)
    network.allocate_tensors()
    place = network.get_input_details()[0]["index"]
    outputs = [output["index"] for output in network.get_output_details()]

    def run() -> None:
        for value in inputs:
            network.set_tensor(place, value[None])
            network.invoke()
            for output in outputs:
                network.get_tensor(output)

    return run


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
