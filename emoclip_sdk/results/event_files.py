"""Lists of events from files: a table of trials, or a tier of an ELAN document."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from .elan_tiers import ElanTiers, beside_file
from .events import Event
from .sheets import SHEETS, SheetRow, read_sheet

__all__ = ["as_events", "read_events"]

EVENT_ENDINGS = (*SHEETS, ".eaf")
FILE_COLUMNS = ("file", "path", "video")
"""Columns of a list of events that may name the video."""


def as_events(events: Any, tier: str | None = None) -> list[Event]:
    """Return events from a file (:func:`read_events`), or from what a caller lists.

    Parameters
    ----------
    events : path, or iterable of paths, Event, (start, end) or (start, end, name)
    tier : str, optional
        Of documents of ELAN.

    Raises
    ------
    EmoCLIPError
        They are something else, or the file can't be used.
    """
    if isinstance(events, str | os.PathLike):
        return read_events(events, tier)
    listed: list[Event] = []
    for event in events if isinstance(events, Iterable) else [events]:
        if isinstance(event, str | os.PathLike):
            listed += read_events(event, tier)
            continue
        if tier is not None:
            raise EmoCLIPError("tier is for a file of ELAN (.eaf)")
        if isinstance(event, Event):
            listed.append(event)
            continue
        if not isinstance(event, Sequence) or len(event) not in (2, 3):
            raise EmoCLIPError(f"an event is (start, end) or (start, end, name), not {event!r}")
        try:
            start, end = float(event[0]), float(event[1])
        except (TypeError, ValueError):
            raise EmoCLIPError(f"start and end of an event are seconds, not {event!r}") from None
        listed.append(Event(start, end, None if len(event) == 2 else str(event[2])))
    if not listed:
        raise EmoCLIPError("there are no events: give a list of them, or a file")
    return listed


def read_events(path: str | os.PathLike[str], tier: str | None = None) -> list[Event]:
    """Read a list of events.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv`` or ``.xlsx``: a table with the columns ``start`` and ``end``, in
        seconds or as ``HH:MM:SS.mmm``, and if you like ``name`` and ``file`` (or
        ``path``, ``video``), relative to the table; other columns are kept. ``.eaf``: a document
        of ELAN, whose annotations are the events. A folder: all of these in it.
    tier : str, optional
        Of an ELAN document. None: its only tier that has times.

    Returns
    -------
    list of Event
        In the order of the file; of a tier, in order of time.

    Raises
    ------
    EmoCLIPError
        The file can't be read, or holds no events.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if path.is_dir():
        inside = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in EVENT_ENDINGS and file.name[0] != "."
        )
        events = [event for file in inside for event in read_events(file, tier)]
    elif ending == ".eaf":
        events = _of_elan(path, tier)
    elif ending in SHEETS:
        if tier is not None:
            raise EmoCLIPError(f"{path}: a table has no tiers; tier is for a file of ELAN (.eaf)")
        events = [_of_row(row, path) for row in read_sheet(path, ("start",)).rows]
    else:
        raise EmoCLIPError(f"{path}: events are read from {', '.join(EVENT_ENDINGS)}")
    if not events:
        raise EmoCLIPError(f"{path}: lists no event")
    return events


def _of_row(row: SheetRow, path: Path) -> Event:
    start, end = row.seconds("start"), row.seconds("end")
    if start is None or end is None:
        raise EmoCLIPError(f"{row.where}: an event needs a start and an end")
    column = next((name for name in FILE_COLUMNS if name in row.values), None)
    file = row.values[column].strip() if column is not None else ""
    known = ("start", "end", "name", column)
    others = {name: value for name, value in row.values.items() if name not in known}
    try:
        return Event(
            start,
            end,
            row.values.get("name", "").strip() or None,
            beside_file(file, path) if file else None,
            others,
        )
    except EmoCLIPError as error:
        raise EmoCLIPError(f"{row.where}: {error}") from None


def _of_elan(path: Path, tier: str | None) -> list[Event]:
    document = ElanTiers.read(path)
    if tier is None:
        if len(document.with_times) != 1:
            raise EmoCLIPError(
                f"{path}: say which tier holds the events: "
                f"{', '.join(document.with_times) or 'none does'}"
            )
        tier = document.with_times[0]
    return [
        Event(each.start, each.end, each.text or None, document.media)
        for each in document.annotations(tier)
    ]
