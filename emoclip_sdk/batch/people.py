"""The same person in the rows of many videos.

What faces look like goes through the parts of an unfinished table, in columns of their own, so that
a run that was ended goes on. The finished table has names and no such column, unless asked for.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EmoCLIPError
from ..export.tables import require_pyarrow, table_schema
from ..faces import TrackIdentity, TrackPerson, join_people
from ..inference.people import KnownPeople, PeopleChoice, check_people, known_people
from ..inference.stream import FaceStream
from .inputs import BatchInput
from .rows import BatchTable, Rows
from .tasks import BatchTask, Pool

if TYPE_CHECKING:
    import pyarrow

    from ..inference.reader import FaceReader

__all__ = ["IDENTITY", "PeopleTask", "StudyPeople"]

_PERSON = tuple(TrackPerson(None).to_record())
_IDENTITY, _LOOKS, _TOGETHER = "identity", "identity_looks", "identity_together"
IDENTITY = (_IDENTITY, _LOOKS, _TOGETHER)
"""Columns of what a face looks like: in the first row of each track."""


Identified = tuple[Any, Sequence[TrackIdentity]]


@dataclass(frozen=True)
class PeopleTask:
    """A task whose result has what faces look like beside it; see :class:`BatchTask`."""

    task: BatchTask[Any]

    @property
    def needs_boxes(self) -> bool:
        """As the task says."""
        return self.task.needs_boxes

    def result(self, path: str, video: FaceStream) -> Identified:
        """Return both."""
        result = self.task.result(path, video)
        return result, () if video.identities is None else video.identities()

    def failed(self, path: str, reason: str) -> Identified:
        """Return the result of the task."""
        return self.task.failed(path, reason), ()

    def with_pool(self, pool: Pool) -> PeopleTask:
        """Return the same with the task for another machine."""
        return PeopleTask(self.task.with_pool(pool))


@dataclass(frozen=True)
class StudyPeople:
    """Who is who in a batch.

    Attributes
    ----------
    known : dict of str to list of ndarray (128,)
        Names, and what their photos look like.
    settings : dict of str to JSON type
        What makes rows comparable: names, and hashes of the files of their photos.
    keep : bool
        Leave the columns of what faces look like in the table.
    """

    known: KnownPeople
    settings: dict[str, Any]
    keep: bool = False

    @classmethod
    def of(cls, choice: PeopleChoice, keep: bool, reader: FaceReader) -> StudyPeople | None:
        """Read the reference photos; None where persons are not asked for.

        Raises
        ------
        EmoCLIPError
            As by :func:`check_people` and :func:`known_people`.
        """
        photos = check_people(choice)
        if photos is None:
            if keep:
                raise EmoCLIPError("keep_identities is for people: say people=True")
            return None
        known = known_people(photos, reader)
        hashes = {name: [_hash(path) for path in paths] for name, paths in photos.items()}
        return cls(known, {"people": hashes, "keep_identities": keep}, keep)

    def table(self, table: BatchTable) -> BatchTable:
        """Return a table with columns for persons.

        Its rows are made of what was found in a video and what its faces look like, a tuple, or,
        where it can't be read, of the former alone.
        """
        pa = require_pyarrow()
        schema = table.schema
        place = schema.get_field_index("track") + 1
        for field in reversed(list(table_schema(_PERSON))):
            schema = schema.insert(place, field)
        for field in _hidden(pa):
            schema = schema.append(field)

        def rows(item: BatchInput, found: Any) -> Rows:
            result, identities = found if isinstance(found, tuple) else (found, ())
            return _with_identities(table.rows(item, result), identities)

        return dataclasses.replace(table, schema=schema, rows=rows)

    def joined(self, tables: Iterable[pyarrow.Table]) -> dict[str, dict[int, TrackPerson]]:
        """Return who the tracks of each video are, of all videos whose identities are there."""
        videos: dict[str, list[TrackIdentity]] = {}
        for table in tables:
            for row in _identities(table):
                videos.setdefault(row["source"], []).append(
                    TrackIdentity(
                        row["track"],
                        np.frombuffer(row[_IDENTITY], "<f4"),
                        row[_LOOKS],
                        frozenset(row[_TOGETHER]),
                    )
                )
        return dict(zip(videos, join_people(list(videos.values()), self.known), strict=True))

    def named(
        self, table: pyarrow.Table, who: Mapping[str, Mapping[int, TrackPerson]]
    ) -> pyarrow.Table:
        """Say in the rows who it is; rows of earlier runs, without identities, stay."""
        pa = require_pyarrow()
        columns = {name: table[name].to_pylist() for name in _PERSON}
        nobody = TrackPerson(None)
        keys = zip(table["source"].to_pylist(), table["track"].to_pylist(), strict=True)
        for i, (source, track) in enumerate(keys):
            if source in who and track is not None:
                record = who[source].get(track, nobody).to_record()
                for name, value in record.items():
                    columns[name][i] = None if value != value else value
        for name, values in columns.items():
            place = table.schema.get_field_index(name)
            field = table.schema.field(name)
            table = table.set_column(place, field, pa.array(values, field.type))
        return table

    def finished(self, schema: pyarrow.Schema) -> pyarrow.Schema:
        """Return the columns of the finished table."""
        pa = require_pyarrow()
        hidden = () if self.keep else IDENTITY
        return pa.schema([f for f in schema if f.name not in hidden], schema.metadata)


def _hidden(pa: Any) -> list[pyarrow.Field]:
    return [
        pa.field(_IDENTITY, pa.binary()),
        pa.field(_LOOKS, pa.int32()),
        pa.field(_TOGETHER, pa.list_(pa.int32())),
    ]


def _with_identities(rows: Rows, identities: Sequence[TrackIdentity]) -> Rows:
    """Add what a face looks like to the first row of each track."""
    known = {identity.track: identity for identity in identities}
    if isinstance(rows, Sequence):
        records = [dict(row) for row in rows]
        for record in records:
            track = record.get("track")
            identity = None if track is None else known.pop(track, None)
            if identity is not None:
                record.update(_record(identity))
        return records
    pa = require_pyarrow()
    cells: dict[str, list[Any]] = {field.name: [None] * rows.num_rows for field in _hidden(pa)}
    for i, track in enumerate(rows["track"].to_pylist()):
        identity = known.pop(track, None)
        if identity is not None:
            for name, value in _record(identity).items():
                cells[name][i] = value
    for field in table_schema(_PERSON):
        rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    for field in _hidden(pa):
        rows = rows.append_column(field, pa.array(cells[field.name], field.type))
    return rows


def _record(identity: TrackIdentity) -> dict[str, Any]:
    return {
        _IDENTITY: identity.vector.astype("<f4").tobytes(),
        _LOOKS: identity.looks,
        _TOGETHER: sorted(identity.together),
    }


def _identities(table: pyarrow.Table) -> Iterator[dict[str, Any]]:
    if _IDENTITY in table.column_names:
        table = table.select(["source", "track", _IDENTITY, _LOOKS, _TOGETHER])
        yield from table.filter(table[_IDENTITY].is_valid()).to_pylist()


def _hash(path: str) -> str:
    """Return the hash of a photo's file; of what is none, its address."""
    file = Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else path
