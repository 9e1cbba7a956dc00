"""The row about size and speed, on the machine that it runs on."""

from __future__ import annotations

import time
import zlib
from pathlib import Path
from statistics import median

import numpy as np

from ....checkpoints.folder import WEIGHTS_FILE
from ....model import EmoCLIP
from ....runtime.machine import machine_facts
from .rows import CardRow

__all__ = ["crops_per_second", "deflated_size", "speed_row"]

MB = 1e6
CROPS, REPEATS = 128, 7


def crops_per_second(model: EmoCLIP, crops: int = CROPS, repeats: int = REPEATS) -> list[float]:
    """Time the image path, from uint8 crops to embeddings; one figure for each repeat."""
    side = model.config.image.crop_size or model.config.image.size
    random = np.random.default_rng(0).integers(0, 256, (crops, side, side, 3), dtype=np.uint8)
    model.encoder.frames(random)  # the first call also allocates and picks kernels
    speeds = []
    for _ in range(repeats):
        start = time.perf_counter()
        model.encoder.frames(random)
        speeds.append(crops / (time.perf_counter() - start))
    return speeds


def deflated_size(folder: Path) -> int:
    """Return how many bytes the files of a folder take in a wheel, which is a deflated zip."""
    total = 0
    for path in sorted(folder.iterdir()):
        if path.is_file():
            packer = zlib.compressobj(6)
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    total += len(packer.compress(block))
            total += len(packer.flush())
    return total


def speed_row(model: EmoCLIP, folder: Path | None) -> CardRow:
    """Measure crops a second, and the size of the checkpoint where it is a folder."""
    speeds = crops_per_second(model)
    values: dict[str, float | None] = {
        "crops per second": round(median(speeds), 1),
        "checkpoint [MB]": None,
        "in the wheel [MB]": None,
    }
    if folder is not None:
        values["checkpoint [MB]"] = (folder / WEIGHTS_FILE).stat().st_size / MB
        values["in the wheel [MB]"] = deflated_size(folder) / MB
    machine = machine_facts(model.encoder.device)
    busy = "" if machine["load"] is None else f"; {machine['load']:.1f} processes were at work"
    return CardRow(
        "speed",
        "face crops per second; size",
        values,
        {"crops per second": (">=", 400), "in the wheel [MB]": ("<=", 75)},
        CROPS,
        f"Median of {REPEATS} runs of {CROPS} crops through preprocessing and image tower on "
        f"{machine['device']}, {machine['threads']} threads{busy}. Finding the faces is not in it. "
        "In the wheel: the files of the checkpoint, deflated.",
        {"runs": [round(value, 1) for value in speeds], "machine": machine},
    )
