"""Write a timeline to a file of the format that its ending says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EmoCLIPError
from .elan import eaf
from .files import atomic_write
from .rttm import rttm
from .subtitles import srt, webvtt
from .tables import TABLES, save_rows
from .textgrid import textgrid

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["ENDINGS", "check_ending", "save_timeline"]


def _json(timeline: ScoredWindows, path: Path) -> str:
    return json.dumps(timeline.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_DOCUMENTS: dict[str, Callable[[ScoredWindows, Path], str]] = {
    ".json": _json,
    ".vtt": lambda timeline, path: webvtt(timeline),
    ".srt": lambda timeline, path: srt(timeline),
    ".eaf": eaf,
    ".textgrid": lambda timeline, path: textgrid(timeline),
    ".rttm": lambda timeline, path: rttm(timeline),
}
ENDINGS = (*TABLES, *_DOCUMENTS)
"""Lower-case endings that :func:`save_timeline` knows."""


def check_ending(path: str | Path) -> str:
    """Return the ending of a file, in lower case.

    Raises
    ------
    EmoCLIPError
        No writer knows it.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        known = ", ".join(ENDINGS).replace(".textgrid", ".TextGrid")
        raise EmoCLIPError(f"{path}: the ending says how a timeline is saved; known are {known}")
    return ending


def save_timeline(timeline: ScoredWindows, path: str | Path) -> None:
    """Write a timeline; see :meth:`Timeline.save`.

    Raises
    ------
    EmoCLIPError
        An ending that no writer knows, or the file can't be written.
    """
    path = Path(path)
    ending = check_ending(path)
    if ending in TABLES:
        save_rows(
            timeline.rows,
            path,
            source=timeline.source,
            labels=timeline.labels,
            model=timeline.model,
        )
        return
    text = _DOCUMENTS[ending](timeline, path)
    with atomic_write(path) as part:
        # Names of files need not be text; the formats have no way to say so.
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
