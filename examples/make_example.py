"""Make examples/portrait.mp4 from scikit-image's portrait of the astronaut Eileen Collins.

The picture is NASA's and in the public domain; it ships inside the scikit-image wheel. The camera
pans and zooms a little, so that the face box has to follow. The same versions of the libraries give
the same file. Needs scikit-image and nothing else beyond emoclip_sdk:

    pip install scikit-image
    python examples/make_example.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FPS = 25
SECONDS = 3.0
SIDE = 448  # pixels of the clip
START, END = 1.0, 0.88  # what the camera sees, as a share of the picture's side


def view(t: float, side: int) -> tuple[float, float, float, float]:
    """Return the box that the camera sees at time `t` in [0, 1], in pixels of the picture."""
    eased = 0.5 - 0.5 * math.cos(math.pi * t)
    size = side * (START + (END - START) * eased)
    rest = side - size
    x = rest * (0.5 + 0.5 * math.sin(2 * math.pi * t))
    y = rest * 0.2 * eased
    return x, y, x + size, y + size


def photograph() -> NDArray[np.uint8]:
    """Return the portrait, (512, 512, 3), RGB."""
    try:
        from skimage import data
    except ImportError:
        raise SystemExit("The portrait is in scikit-image: pip install scikit-image") from None

    return data.astronaut()


def frames(picture: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of the clip."""
    count = round(FPS * SECONDS)
    for i in range(count):
        box = view(i / (count - 1), picture.width)
        yield np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))


def encode(path: Path, frames: Iterable[NDArray[np.uint8]], crf: int = 25) -> None:
    """Write square frames as H.264, the better the smaller `crf` is."""
    count = 0
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.pix_fmt = "yuv420p"
        # One thread: with more, x264's output depends on the machine.
        stream.options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        for count, pixels in enumerate(frames, 1):
            if count == 1:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    print(f"{path}: {count} frames, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "out", type=Path, nargs="?", default=Path(__file__).with_name("portrait.mp4")
    )
    picture = Image.fromarray(photograph())
    encode(parser.parse_args().out, frames(picture))
