"""Small videos made on the spot, and the shared media where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

WIDTH, HEIGHT = 64, 48


@pytest.fixture(scope="session")
def media() -> Path:
    """Folder of real clips, which are no part of the project."""
    shared = os.environ.get("EMOCLIP_SHARED") or Path(__file__).parents[3] / "shared"
    folder = Path(shared) / "media"
    if not folder.is_dir():
        pytest.skip(f"no real media at {folder}")
    return folder


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
    found = ""
    for y, x in (
        (h // 4, w // 4),
        (h // 4, 3 * w // 4),
        (3 * h // 4, w // 4),
        (3 * h // 4, 3 * w // 4),
    ):
        bright = rgb[y, x] > 128
        found += {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}.get(
            tuple(int(b) for b in bright), "?"
        )
    return found


def gray_ramp(n: int, width: int = WIDTH, height: int = HEIGHT, step: int = 4) -> list[np.ndarray]:
    """Frames whose gray level is their number times `step`."""
    return [np.full((height, width, 3), i * step, np.uint8) for i in range(n)]


Maker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> Maker:
    """Return a function that writes frames to a file in `tmp_path`."""
    import av

    def make(
        name: str,
        frames: Sequence[np.ndarray],
        *,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        fps: int = 30,
        ticks: Sequence[int] | None = None,
        options: dict[str, str] | None = None,
        container: dict[str, str] | None = None,
    ) -> Path:
        """`ticks`: time of each frame in 1/600 s, instead of a constant rate."""
        path = tmp_path / name
        ticks = ticks or [i * 600 // fps for i in range(len(frames))]
        with av.open(str(path), "w", options=container or {}) as out:
            stream = out.add_stream(codec, fps, options=options or {})
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = pix_fmt
            stream.codec_context.time_base = Fraction(1, 600)
            kind = {2: "gray", 3: "rgb24", 4: "rgba"}[
                2 if frames[0].ndim == 2 else frames[0].shape[2]
            ]
            for tick, picture in zip(ticks, frames, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format=kind).reformat(format=pix_fmt)
                frame.pts, frame.time_base = tick, Fraction(1, 600)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make
