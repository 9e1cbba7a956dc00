"""Times image towers in turn, on one thread: torch in both precisions, and exported ONNX files.

python -m benchmarks.onnx_tower FILE.onnx...
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import torch

from emoclip_sdk import EmoCLIP

__all__ = ["main"]

ROUNDS = 25
CROPS = 32


def main(files: list[str]) -> None:
    """Print the median of each for 32 crops, and how often it fits into torch's float32."""
    torch.set_num_threads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    runs: dict[str, Callable[[Any], Any]] = {}
    for dtype in ("float32", "bfloat16"):
        model = EmoCLIP.from_pretrained(device="cpu", dtype=dtype)
        runs[f"torch {dtype}"] = model.encoder.frames
    for file in files:
        session = onnxruntime.InferenceSession(file, options)
        runs[file] = _runner(session)
    size = model.config.image.crop_size or model.config.image.size
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, size, size, 3), dtype=np.uint8)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(ROUNDS + 2):  # two to warm up
        for name, run in runs.items():
            start = time.perf_counter()
            run(crops)
            if i >= 2:
                times[name].append(time.perf_counter() - start)
    base = np.median(times["torch float32"])
    for name, seconds in times.items():
        print(f"{name}: {np.median(seconds) * 1e3:.1f} ms, {base / np.median(seconds):.2f}")


def _runner(session: Any) -> Callable[[Any], Any]:
    return lambda crops: session.run(None, {"crops": crops})


if __name__ == "__main__":
    main(sys.argv[1:])
