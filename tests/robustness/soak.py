"""The long part: ``make soak``."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from conftest import tiny_config, write_checkpoint

from .clips import whole_clips
from .mutations import damaged, large_files, oddities
from .reading import read_all


def main(arguments: Sequence[str]) -> int:
    """Read damaged files, print the table; 1 if a promise was broken."""
    count = int(arguments[0]) if arguments else 1000
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_checkpoint(Path(folder) / "tiny", tiny_config())
        clips = itertools.chain(whole_clips(), oddities(), large_files(), damaged(count))
        report = read_all(clips, checkpoint, Path(folder))
    rows = [("videos", ""), *report.lines(), ("seconds", f"{time.monotonic() - begun:.0f}")]
    for name, value in rows:
        print(f"{name:20} {value}")
    print(*report.wrong, sep="\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
