"""Where the time of one video goes: `python benchmarks/stages.py [VIDEO]`

Wall-clock seconds within each step, which overlap: decoding runs in a thread of its own. Without a
video, on the clip of `emoclip bench`. The embedded model; medians of the turns.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emoclip_sdk import EmoCLIP
from emoclip_sdk.diagnostics.bench.clips import moving_face
from emoclip_sdk.faces import MTCNNDetector
from emoclip_sdk.video import open_video

TURNS = 10
RATE = 7


@contextmanager
def timed(owner: Any, method: str, spent: dict[str, float]) -> Iterator[None]:
    """Add up the time within a method."""
    original: Callable[..., Any] = getattr(owner, method)

    def measured(*arguments: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            spent[method] = spent.get(method, 0.0) + time.perf_counter() - begun

    setattr(owner, method, measured)
    try:
        yield
    finally:
        setattr(owner, method, original)


def main(video: Path) -> None:
    """Print a row for each step."""
    model = EmoCLIP.from_pretrained(device="cpu")
    model.classify(video)
    turns: list[dict[str, float]] = []
    for _ in range(TURNS):
        spent: dict[str, float] = {}
        begun, processor = time.perf_counter(), time.process_time()
        with (
            timed(MTCNNDetector, "detect", spent),
            timed(MTCNNDetector, "follow", spent),
            timed(model.reader, "encode", spent),
        ):
            model.classify(video)
        spent["all of it"] = time.perf_counter() - begun
        spent["processor time"] = time.process_time() - processor
        begun = time.perf_counter()
        for _ in open_video(video).sample(RATE):
            pass
        spent["decode and convert, alone"] = time.perf_counter() - begun
        turns.append(spent)
    for name in turns[0]:
        print(f"{name:26} {statistics.median(turn[name] for turn in turns):.3f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(moving_face(Path(folder) / "clip.mp4"))
