"""Long runs in one process: what grows?"""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from builders import write_video

from .codec_clips import whole_clips

GROWTH = 0.02
RATE = 7  # frames a second


@dataclass(frozen=True)
class Usage:
    """What this process holds."""

    memory_mb: float
    files: int
    threads: int

    @classmethod
    def now(cls) -> Usage:
        """Look, after what can be freed was freed."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cls(memory, len(os.listdir("/proc/self/fd")), threading.active_count())

    def grown(self, before: Usage) -> list[str]:
        """Tell what is more than before."""
        found = []
        if self.memory_mb > (1 + GROWTH) * before.memory_mb:
            found.append(f"memory grew from {before.memory_mb:.0f} to {self.memory_mb:.0f} MB")
        for name in ("files", "threads"):
            if getattr(self, name) > getattr(before, name):
                found.append(f"{getattr(before, name)} {name} became {getattr(self, name)}")
        return found


def many_clips(model: Any, count: int, warm_up: int) -> tuple[Usage, Usage]:
    """Classify clips of every codec; every tenth with the face detector."""
    clips = [clip.data for clip in whole_clips()]
    before = Usage.now()
    for i in range(count):
        if i == warm_up:
            before = Usage.now()
        model.classify(clips[i % len(clips)], faces="none" if i % 10 else "detect")
    return before, Usage.now()


def many_hours(model: Any, file: Path, hours: float, warm_up: float) -> tuple[int, Usage, Usage]:
    """Read a long generated video row by row; returns the number of rows and use of memory.

    A stream of a camera does the same, in real time.
    """
    write_noise(file, int(hours * 3600 * RATE))
    before, rows = None, 0
    for row in model.timeline_rows(file, faces="none", window=2.0, step=2.0):
        rows += 1
        if before is None and row.end > warm_up * 3600:
            before = Usage.now()
    after = Usage.now()
    assert before is not None and rows == hours * 1800, f"{rows} rows"
    return rows, before, after


def write_noise(file: Path, n: int) -> None:
    """Write `n` small frames."""
    noise = np.random.default_rng(0).integers(0, 255, (50, 64, 64, 3), dtype=np.uint8)
    write_video(file, (noise[i % 50] for i in range(n)), RATE)
