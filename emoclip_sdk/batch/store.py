"""The output of a batch, which survives whatever ends the run.

Rows go to small Parquet files in a folder beside the output, each of which is written under another
name first: it is whole or not there. At the end they become one file in the same way, and only then
is the folder deleted. A lock keeps a second process away.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BatchError, EmoCLIPError, MissingDependencyError
from ..export.tables import require_pyarrow
from ..results.records import FAILED, NO_FACE, OK
from .baselines import PersonBaselines
from .merging import MergedTables, conformed, require_parquet
from .people import IDENTITY, StudyPeople

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ResultStore", "beside", "store_path"]

# A part is written after so many rows or seconds. What is lost by a kill is read again.
_PART_ROWS = 1000
_PART_SECONDS = 5.0
_KEY = b"emoclip_batch"
_STATUS = ["source", "status", "error"]
_STATES = (FAILED, NO_FACE, OK)

Rows = Any  # a sequence of flat records, or a table of pyarrow


def store_path(out: Path) -> Path:
    """Return the Parquet file of an output: itself, or the one beside a table of another kind.

    What is no Parquet holds neither the settings nor the types that it takes to go on.
    """
    return out if out.suffix.lower() == ".parquet" else out.with_name(out.name + ".parquet")


def beside(out: Path) -> tuple[Path, ...]:
    """Return what is written beside an output, see :func:`store_path`; parts, and a lock."""
    store = store_path(out)
    return (*([] if store == out else [store]), *_sidecars(store))


def _sidecars(out: Path) -> tuple[Path, Path]:
    return out.with_name(out.name + ".parts"), out.with_name(f".{out.name}.lock")


class ResultStore:
    """Rows of videos, on disk. To be used in a ``with`` block.

    Parameters
    ----------
    out : Path
        The Parquet file.
    schema : pyarrow.Schema
        Columns of the rows; ``source``, ``status`` and ``error`` are among them.
    settings : dict of str to JSON type
        What makes rows comparable. An output that was begun with other ones is refused.
    many_rows : bool
        A video has many rows: each is a row group of its own, and they are never all in memory.
    overwrite : bool
        Forget what an earlier run has left.

    Attributes
    ----------
    status : dict of str to str
        Of every video that has rows: the best that one of them has.
    errors : dict of str to str
        Why videos failed.
    finished : set of str
        Videos whose rows are in the output, and nowhere else.

    Raises
    ------
    BatchError
        When it is entered: the output is in use by another process, was begun with other settings,
        or is something else.
    """

    def __init__(
        self,
        out: Path,
        schema: pyarrow.Schema,
        settings: Mapping[str, Any],
        *,
        many_rows: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.out = out
        self.parts, self._lock_file = _sidecars(out)
        self.status: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.finished: set[str] = set()
        self._settings = dict(settings)
        self._schema = schema.with_metadata({_KEY: json.dumps(self._settings)})
        self._many_rows = many_rows
        self._overwrite = overwrite
        self._waiting: list[Rows] = []
        self._written = time.monotonic()
        self._next = 0
        self._lock: Any = None

    def __enter__(self) -> ResultStore:
        try:
            from filelock import FileLock, Timeout
        except ImportError:
            raise MissingDependencyError("filelock", "parquet", "Writing Parquet") from None
        self._lock = FileLock(self._lock_file)
        with _writing(self.out):
            self.out.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise BatchError(f"{self.out}: another process is writing it") from None
        try:
            with _writing(self.parts):
                self._begin()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self.parts.is_dir():
                self.flush()
                with suppress(OSError):
                    self.parts.rmdir()  # nothing was done
        finally:
            self._lock.release()

    def _begin(self) -> None:
        if self._overwrite:
            shutil.rmtree(self.parts, ignore_errors=True)
            self.out.unlink(missing_ok=True)
        if self.out.exists():
            self._check(self.out)
        self.parts.mkdir(exist_ok=True)
        for left in self.parts.glob(".*"):
            left.unlink()
        for part in self._part_files():
            self._check(part)
            self._next = int(part.stem) + 1
        for file in self._files():
            rows = require_parquet().read_table(file, columns=_STATUS)
            self._learn(rows)
            sources = set(rows["source"].unique().to_pylist())
            self.finished = sources if file == self.out else self.finished - sources

    def _part_files(self) -> list[Path]:
        return sorted(self.parts.glob("*.parquet"))

    def _files(self) -> list[Path]:
        """Return the output, if it is there, and the parts, from the oldest to the newest."""
        return [*([self.out] if self.out.exists() else []), *self._part_files()]

    def _check(self, file: Path) -> None:
        """Refuse a file that is not ours, is damaged, or has rows of other settings."""
        pa = require_pyarrow()
        try:
            stored = (require_parquet().read_schema(file).metadata or {}).get(_KEY)
        except (pa.ArrowInvalid, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise
            raise BatchError(
                f"{file}: is no whole Parquet file ({error}). Delete it; its videos are read again"
            ) from None
        earlier = None if stored is None else json.loads(stored)
        if earlier is None:
            raise BatchError(f"{file}: is there already, and not from `emoclip batch`")
        keys = [key for key in self._settings | earlier if _differ(key, self._settings, earlier)]
        if keys:
            was = "; ".join(f"{key} was {earlier.get(key)!r}" for key in keys)
            now = "; ".join(f"{key} is {self._settings.get(key)!r}" for key in keys)
            raise BatchError(
                f"{self.out}: was begun with other settings ({was}; now {now}). Use the same ones "
                "to go on, another output, or --overwrite to begin anew"
            )

    def add(self, rows: Rows) -> None:
        """Take all the rows of one video: records, or a table. They replace earlier ones."""
        self._waiting.append(rows)
        self._learn(rows)
        n = sum(map(len, self._waiting))
        if n >= _PART_ROWS or time.monotonic() - self._written >= _PART_SECONDS:
            self.flush()

    def _learn(self, rows: Rows) -> None:
        if not isinstance(rows, Sequence):  # of many rows, few differ in these columns
            rows = rows.select(_STATUS).group_by(_STATUS, use_threads=False).aggregate([])
            rows = rows.to_pylist()
        for source in {row["source"] for row in rows}:
            self.status[source] = FAILED
            self.errors.pop(source, None)
        for row in rows:
            source = row["source"]
            self.status[source] = max(self.status[source], row["status"], key=_STATES.index)
            if row.get("error") is not None:
                self.errors[source] = row["error"]

    def flush(self) -> None:
        """Write what was taken."""
        self._written = time.monotonic()
        if not self._waiting:
            return
        pa = require_pyarrow()
        groups = self._waiting
        if not self._many_rows:
            groups = [[row for rows in self._waiting for row in rows]]
        tables = (
            pa.Table.from_pylist(rows, schema=self._schema)
            if isinstance(rows, Sequence)
            else rows.select(self._schema.names).cast(self._schema)
            for rows in groups
        )
        self._write(tables, self.parts / f"{self._next:08d}.parquet", self._schema)
        self._next += 1
        self._waiting = []

    def merge(
        self,
        columns: Mapping[str, Mapping[str, str]],
        order: Literal["input", "completed"],
        baselines: PersonBaselines | None = None,
        people: StudyPeople | None = None,
    ) -> None:
        """Make the output of all rows.

        Parameters
        ----------
        columns : mapping of str to mapping of str to str
            For each video of this run, in their order, what the manifest says about it.
        order : {"input", "completed"}
            Order of the rows. Videos of earlier runs that are not among `columns` come first.
        baselines : PersonBaselines, optional
            Say in the rows what differs from them.
        people : StudyPeople, optional
            Say in the rows who it is.
        """
        self.flush()
        merged = MergedTables(
            self._files(),
            self._schema,
            columns,
            order,
            baselines,
            people,
            many_rows=self._many_rows,
        )
        with _writing(self.out):
            self._write(merged, self.out, merged.schema)
            shutil.rmtree(self.parts)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the output, after :meth:`merge`."""
        with require_parquet().ParquetFile(self.out) as file:
            for batch in file.iter_batches(_PART_ROWS, columns=self.columns()):
                yield from batch.to_pylist()

    def columns(self) -> list[str]:
        """Return the columns of the output, after :meth:`merge`, without identities."""
        return [
            name for name in require_parquet().read_schema(self.out).names if name not in IDENTITY
        ]

    @staticmethod
    def _write(tables: Iterable[pyarrow.Table], path: Path, schema: pyarrow.Schema) -> None:
        """Write a file that is whole or not there; each table is a row group."""
        partial = path.with_name(f".{path.name}.partial")
        with _writing(path):
            with partial.open("wb") as file:
                with require_parquet().ParquetWriter(file, schema) as writer:
                    for table in tables:
                        filled = conformed(table, schema)
                        writer.write_table(filled, row_group_size=max(filled.num_rows, 1))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)


def _differ(key: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return key not in ours or key not in theirs or bool(ours[key] != theirs[key])


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmoCLIPError(
            f"{error.filename or path}: can't be written ({error.strerror or error}). What is done "
            "is kept, and the same command goes on from there"
        ) from error
