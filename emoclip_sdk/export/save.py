"""Write a timeline or a table to a file of the format that its ending says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EmoCLIPError
from ..results.text import unicode_text
from .elan import eaf
from .files import atomic_write
from .rttm import rttm
from .subtitles import srt, webvtt
from .tables import TABLES, save_records, save_rows
from .textgrid import textgrid

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["ENDINGS", "TABLE_ENDINGS", "check_ending", "save_table", "save_timeline"]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_DOCUMENTS: dict[str, Callable[[ScoredWindows, Path], str]] = {
    ".json": lambda timeline, path: _json(timeline.to_dict()),
    ".vtt": lambda timeline, path: webvtt(timeline),
    ".srt": lambda timeline, path: srt(timeline),
    ".eaf": eaf,
    ".textgrid": lambda timeline, path: textgrid(timeline),
    ".rttm": lambda timeline, path: rttm(timeline),
}
ENDINGS = (*TABLES, *_DOCUMENTS)
"""Lower-case endings that :func:`save_timeline` knows."""
TABLE_ENDINGS = (*TABLES, ".json")
"""Those that :func:`save_table` knows."""


def check_ending(
    path: str | Path, endings: Sequence[str] = ENDINGS, content: str = "a timeline"
) -> str:
    """Return the ending of a file, in lower case; it must be one of `endings`.

    Raises
    ------
    EmoCLIPError
        No writer knows it.
    """
    ending = Path(path).suffix.lower()
    if ending not in endings:
        known = ", ".join(endings).replace(".textgrid", ".TextGrid")
        raise EmoCLIPError(f"{path}: the ending says how {content} is saved; known are {known}")
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
            origin=timeline.origin,
        )
        return
    _write(_DOCUMENTS[ending](timeline, path), path, timeline.origin)


def save_table(
    path: str | Path,
    content: str,
    records: Callable[[], Sequence[dict[str, Any]]],
    document: Callable[[], dict[str, Any]],
    origin: str | None = None,
) -> None:
    """Write a result that is a table.

    Parameters
    ----------
    path : str or Path
        With one of `TABLE_ENDINGS`.
    content : str
        What it is, for a message.
    records : callable
        Gives its flat rows.
    document : callable
        Gives everything, for ``.json``.
    origin : str, optional
        The file that it was read from.

    Raises
    ------
    EmoCLIPError
        An ending that no writer knows, or the file can't be written.
    """
    path = Path(path)
    if check_ending(path, TABLE_ENDINGS, content) == ".json":
        _write(_json(document()), path, origin)
        return
    rows = records()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    save_records(rows, path, columns, origin)


def _write(text: str, path: Path, origin: str | None) -> None:
    with atomic_write(path, origin) as part:
        # Names of files need not be text; the formats have no way to say so.
        part.write_text(unicode_text(text), encoding="utf-8", newline="\n")
