"""A table of rows over time that was left off: what it holds, and how it goes on.

Faces get their numbers in order of appearance, so who goes on in the middle must find out who is
who: some seconds before the gap are read again, and the boxes of both tell.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from ..faces.boxes import iou
from ..results.tables import COUNTS, FLAGS, TEXTS
from .excel import read_workbook
from .tables import FORMULA, require_pyarrow

__all__ = ["UnfinishedTable", "read_unfinished"]

LOOKBACK = 2.0
"""Seconds before the gap that are read again. Who is away for longer is somebody new, anyway."""

_KEPT = 2 * LOOKBACK  # seconds of rows to compare with
_BOX = ("face_x0", "face_y0", "face_x1", "face_y1")
_MODEL = ("model", "revision", "prompt_bank")
_SAME = 0.3  # intersection over union of the boxes of one face, at least

Record = dict[str, Any]


@dataclass(frozen=True)
class UnfinishedTable:
    """A table that was left off in its last video.

    Attributes
    ----------
    path : Path
    columns : list of str
    order : str
        The column by which rows follow one another: ``"start"`` or ``"frame"``.
    clock : str
        The column of seconds: ``"start"`` or ``"time"``.
    sources : list of str
        Videos that have rows, in order. The last one is the one that was left off.
    first, last : float
        Seconds of the first row of that video, and of the last ones that are surely all there.
    position : float
        Of these, in the column `order`.
    recent : list of dict
        Its rows in the seconds before.
    tracks : int
        How many faces it has up to there.
    """

    path: Path
    columns: list[str]
    order: str
    clock: str
    sources: list[str]
    first: float
    last: float
    position: float
    recent: list[Record] = field(repr=False)
    tracks: int

    def kept(self) -> Iterator[Record]:
        """Yield the rows that stay as they are."""
        for record in _records(self.path):
            if record["source"] != self.sources[-1] or _at(record, self.order) <= self.position:
                yield record

    def begin(self, rate: float | None, every: int) -> float | None:
        """Return the second from which to read again; None: from the beginning.

        Frames fall on the same times as before, and so do those in which all faces are looked for.

        Parameters
        ----------
        rate : float, optional
            Frames a second that are read. None: all.
        every : int
            Frames from one look for all faces to the next.
        """
        if math.isinf(self.last):
            return None
        begin = self.last - LOOKBACK
        if rate is not None:
            number = math.floor((begin - self.first) * rate)
            begin = self.first + (number - number % every) / rate
        return begin if begin > self.first else None

    def continued(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield what comes after the rows that are kept, with the numbers that faces have there.

        Parameters
        ----------
        records : iterable of dict
            Rows of the same video, from :meth:`begin` on.

        Raises
        ------
        EmoCLIPError
            They are not of the kind that the table holds.
        """
        votes: Counter[tuple[int, int]] = Counter()
        numbers: dict[int, int] = {}
        met = math.isinf(self.position)
        for number, record in enumerate(records):
            if not number:
                self._check(record)
            at = _at(record, self.order)
            if at <= self.position:
                met |= at == self.position
                self._vote(record, at, votes)
                continue
            if not met:
                break
            if not numbers:
                numbers = _matches(votes)
            track = record["track"]
            if track is not None:
                new = max(self.tracks, *(n + 1 for n in numbers.values()), 0)
                record = {**record, "track": numbers.setdefault(track, new)}
            yield record
        if not met:
            raise EmoCLIPError(
                f"{self.path}: its rows are further apart or closer than these. Use the same "
                "options to go on"
            )

    def _check(self, record: Record) -> None:
        if list(record) != self.columns:
            other = sorted(set(record) ^ set(self.columns))
            raise EmoCLIPError(
                f"{self.path}: was begun with other labels or options: it has other columns "
                f"({', '.join(other[:4])}{' ...' if len(other) > 4 else ''})"
            )
        old = self.recent[-1]
        for name in _MODEL:
            if name in old and (old[name] or "") != (record[name] or ""):
                raise EmoCLIPError(
                    f"{self.path}: was begun with another {name.replace('_', ' ')}: "
                    f"{old[name]}, and now it is {record[name]}"
                )

    def _vote(self, record: Record, at: float, votes: Counter[tuple[int, int]]) -> None:
        """Compare a row with those of the same time."""
        for old in self.recent:
            if _at(old, self.order) != at:
                continue
            if at == self.position and "end" in old and abs(old["end"] - record["end"]) > 1e-3:
                raise EmoCLIPError(f"{self.path}: was begun with windows of another length")
            boxes = [[row[name] for name in _BOX] for row in (old, record)]
            if any(value is None or math.isnan(value) for box in boxes for value in box):
                continue
            if iou(tuple(boxes[0]), tuple(boxes[1])) >= _SAME:
                votes[record["track"], old["track"]] += 1


def _matches(votes: Counter[tuple[int, int]]) -> dict[int, int]:
    """Return the number that each new track had before."""
    numbers: dict[int, int] = {}
    for (new, old), _ in votes.most_common():
        if new not in numbers and old not in numbers.values():
            numbers[new] = old
    return numbers


def read_unfinished(path: str | Path, order: str, clock: str) -> UnfinishedTable | None:
    """Find out how far a table is; None where there is nothing to go on with.

    Parameters
    ----------
    path : str or Path
        With one of the endings of `TABLES`.
    order, clock : str
        See :class:`UnfinishedTable`.

    Raises
    ------
    EmoCLIPError
        The file can't be read, or holds something else.
    """
    path = Path(path)
    if not path.exists():
        return None
    sources: list[str] = []
    columns: list[str] = []
    groups: deque[list[Record]] = deque()
    first = math.nan
    tracks = [0, 0]  # up to the last group, and before it
    for record in _records(path):
        try:
            source, at, second = record["source"], _at(record, order), float(record[clock])
        except (KeyError, TypeError, ValueError):
            raise EmoCLIPError(f"{path}: is no table of this command, so nothing goes on") from None
        columns = columns or list(record)
        if not sources or source != sources[-1]:
            if source in sources:
                raise EmoCLIPError(f"{path}: {source} is in it twice: there is nothing to go on")
            sources.append(source)
            groups.clear()
            first, tracks = second, [0, 0]
        if groups and at < _at(groups[-1][0], order):
            raise EmoCLIPError(
                f"{path}: is in order of faces, so it is whole: there is nothing to go on with"
            )
        if not groups or at > _at(groups[-1][0], order):
            groups.append([])
            tracks[1] = tracks[0]
        groups[-1].append(record)
        if record["track"] is not None:
            tracks[0] = max(tracks[0], record["track"] + 1)
        while len(groups) > 2 and groups[0][0][clock] < second - _KEPT:
            groups.popleft()
    if not sources:
        return None
    if len(groups) > 1:
        groups.pop()  # perhaps not all of its rows were written
        last = groups[-1][0]
        position, seconds, n_tracks = _at(last, order), float(last[clock]), tracks[1]
    else:
        position, seconds, n_tracks = -math.inf, -math.inf, 0
    recent = list(itertools.chain.from_iterable(groups))
    return UnfinishedTable(
        path, columns, order, clock, sources, first, seconds, position, recent, n_tracks
    )


def _at(record: Record, order: str) -> float:
    return round(float(record[order]), 5)


def _records(path: Path) -> Iterator[Record]:
    """Yield the rows of a table with the types that they were written with."""
    try:
        ending = path.suffix.lower()
        if ending == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from map(_typed, csv.DictReader(file))
        elif ending == ".jsonl":
            with path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)
        elif ending == ".xlsx":
            yield from read_workbook(path)
        else:
            require_pyarrow()
            from pyarrow.parquet import ParquetFile

            with ParquetFile(path) as table:
                for batch in table.iter_batches(1024):
                    yield from batch.to_pylist()
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be read ({error.strerror or error})") from error
    except (ValueError, csv.Error) as error:
        raise EmoCLIPError(f"{path}: is no whole table ({error})") from error


def _typed(row: dict[str, str]) -> Record:
    return {name: _value(name, text) for name, text in row.items()}


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name in TEXTS:
        return text[1:] if text[0] == "'" and text[1:].startswith(FORMULA) else text
    if name in FLAGS:
        return text == "True"
    return int(text) if name in COUNTS else float(text)
