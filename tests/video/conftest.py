"""Small videos made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import write_video

WIDTH, HEIGHT = 64, 48


def quadrants(level: int = 0, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Red, green / blue, white quarters: any turn or mirror image shows. Dimmed by `level`."""
    rgb = np.zeros((height, width, 3), np.uint8)
    x, y = width // 2, height // 2
    rgb[:y, :x, 0] = rgb[:y, x:, 1] = rgb[y:, :x, 2] = 255
    rgb[y:, x:] = 255
    return (rgb.astype(int) * (255 - level) // 255).astype(np.uint8)


def corners(rgb: np.ndarray) -> str:
    """Colors of the quarters' middles, row by row: 'rgbw' for :func:`quadrants`."""
    h, w = rgb.shape[:2]
    colors = ""
    for y, x in (
        (h // 4, w // 4),
        (h // 4, 3 * w // 4),
        (3 * h // 4, w // 4),
        (3 * h // 4, 3 * w // 4),
    ):
        bright = rgb[y, x] > 128
        colors += {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}.get(
            tuple(int(b) for b in bright), "?"
        )
    return colors


def gray_ramp(n: int, width: int = WIDTH, height: int = HEIGHT, step: int = 4) -> list[np.ndarray]:
    """Frames whose gray level is their number times `step`."""
    return [np.full((height, width, 3), i * step, np.uint8) for i in range(n)]


Maker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> Maker:
    """Return a function that writes frames to a file in `tmp_path`."""

    def make(
        name: str,
        frames: Sequence[np.ndarray],
        *,
        codec: str = "libx264",
        fps: int = 30,
        ticks: Sequence[int] | None = None,
        **more: Any,
    ) -> Path:
        """`ticks`: time of each frame in 1/600 s, instead of a constant rate."""
        ticks = ticks or [i * 600 // fps for i in range(len(frames))]
        return write_video(tmp_path / name, frames, fps, codec=codec, ticks=ticks, **more)

    return make
