"""Record the walk of docs/index.md as a terminal of 80 columns shows it.

python tools/record_walk.py [FILE]   # needs pyte, an emulator of terminals; FILE: the recording

Commands and Python of the page run one after another in an empty folder with the clips that it
speaks of, each in a pseudo-terminal. A line that is longer than the terminal is wide, a traceback,
and a command that fails are errors.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from fcntl import ioctl
from pathlib import Path

import pyte

__all__ = ["main", "record", "steps"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "index.md"
COLUMNS, ROWS = 80, 24
_BLOCK = re.compile(r"(<!--[^>]*-->\n)?```(bash|python)\n(.*?)```", re.S)
_TIMEOUT = 300  # seconds for one command


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what a page asks to be typed, and the command that does it."""
    for note, language, code in _BLOCK.findall(page):
        if "no-run" in note:
            continue
        if language == "python":
            yield f"python <<END\n{code}END", [sys.executable, "-c", code]
            continue
        for line in code.replace("\\\n", " ").splitlines():
            if line.strip():
                yield line, ["sh", "-c", line]


def record(command: Sequence[str], folder: Path, columns: int = COLUMNS) -> tuple[int, list[str]]:
    """Run a command in a pseudo-terminal.

    Returns
    -------
    (int, list of str)
        Its exit status, and the lines that are on the screen at its end. They are not cut at the
        width of the terminal that the command was told.

    Raises
    ------
    TimeoutError
        It did not end in five minutes.
    """
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(command[0], list(command), {**os.environ, "TERM": "xterm-256color"})
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    screen = pyte.Screen(10 * columns, 1000)
    stream = pyte.ByteStream(screen)
    end = time.monotonic() + _TIMEOUT
    while True:
        if not select.select([terminal], [], [], max(end - time.monotonic(), 0))[0]:
            os.kill(process, 9)
            raise TimeoutError(f"{command}: no end after {_TIMEOUT} s")
        try:
            output = os.read(terminal, 65536)
        except OSError:  # on Linux, the end of a terminal whose process is gone
            break
        if not output:
            break
        stream.feed(output)
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return os.waitstatus_to_exitcode(status), lines


def main() -> None:
    """Print or write the recording; exit with 1 if something is wrong in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?")
    file = parser.parse_args().file
    shown: list[str] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        shutil.copy(ROOT / "examples/portrait.mp4", folder / "clip.mp4")
        shutil.copy(ROOT / "examples/portrait.mp4", folder / "clips/d.mp4")
        shutil.copy(ROOT / "examples/expressions.mp4", folder / "expressions.mp4")
        for typed, command in steps(PAGE.read_text("utf-8")):
            status, lines = record(command, folder)
            shown += [f"$ {typed}", *lines, ""]
            problems += [f"{len(line)} columns: {line}" for line in lines if len(line) > COLUMNS]
            if status or any(line.startswith("Traceback") for line in lines):
                problems.append(f"exit status {status}: {typed}")
    if file is None:
        print("\n".join(shown))
    else:
        file.write_text("\n".join(shown), "utf-8")
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
