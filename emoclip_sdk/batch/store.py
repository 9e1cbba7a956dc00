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
from .rows import row_schema

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ResultStore", "beside", "store_path"]

# A part is written after so many rows or seconds. What is lost by a kill is read again.
_PART_ROWS = 1000
_PART_SECONDS = 5.0
_KEY = b"emoclip_batch"


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
    labels : sequence of str
    settings : dict of str to JSON type
        What makes rows comparable. An output that was begun with other ones is refused.
    actions : bool
        Rows have the columns of facial actions.
    overwrite : bool
        Forget what an earlier run has left.

    Attributes
    ----------
    status : dict of str to str
        Of every video that has rows.
    errors : dict of str to str
        Why videos failed.

    Raises
    ------
    BatchError
        When it is entered: the output is in use by another process, was begun with other settings,
        or is something else.
    """

    def __init__(
        self,
        out: Path,
        labels: Sequence[str],
        settings: Mapping[str, Any],
        *,
        actions: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.out = out
        self.parts, self._lock_file = _sidecars(out)
        self.status: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self._settings = dict(settings)
        self._schema = row_schema(labels, actions).with_metadata({_KEY: json.dumps(self._settings)})
        self._overwrite = overwrite
        self._rows: list[dict[str, Any]] = []
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
        for table in self._tables(["source", "status", "error"]):
            self._learn(table.to_pylist())

    def _part_files(self) -> list[Path]:
        return sorted(self.parts.glob("*.parquet"))

    def _tables(self, columns: list[str] | None = None) -> list[pyarrow.Table]:
        """Read the output, if it is there, and the parts, from the oldest to the newest."""
        pq = _parquet()
        files = [self.out] if self.out.exists() else []
        return [pq.read_table(file, columns=columns) for file in files + self._part_files()]

    def _check(self, file: Path) -> None:
        """Refuse a file that is not ours, is damaged, or has rows of other settings."""
        pa = require_pyarrow()
        try:
            stored = (_parquet().read_schema(file).metadata or {}).get(_KEY)
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

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Take all the rows of one video. They take the place of earlier ones."""
        self._rows += rows
        self._learn(rows)
        if len(self._rows) >= _PART_ROWS or time.monotonic() - self._written >= _PART_SECONDS:
            self.flush()

    def _learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self.status[row["source"]] = row["status"]
            self.errors.pop(row["source"], None)
            if row["error"] is not None:
                self.errors[row["source"]] = row["error"]

    def flush(self) -> None:
        """Write what was taken."""
        self._written = time.monotonic()
        if not self._rows:
            return
        table = require_pyarrow().Table.from_pylist(self._rows, schema=self._schema)
        self._write(table, self.parts / f"{self._next:08d}.parquet")
        self._next += 1
        self._rows = []

    def merge(
        self, columns: Mapping[str, Mapping[str, str]], order: Literal["input", "completed"]
    ) -> None:
        """Make the output of all rows.

        Parameters
        ----------
        columns : mapping of str to mapping of str to str
            For each video of this run, in their order, what the manifest says about it.
        order : {"input", "completed"}
            Order of the rows. Videos of earlier runs that are not among `columns` come first.
        """
        self.flush()
        pa = require_pyarrow()
        seen: set[str] = set()
        newest: list[pyarrow.Table] = []
        for table in reversed(self._tables()):
            sources = table["source"].to_pylist()
            latest = [source not in seen for source in sources]
            newest.append(table.filter(pa.array(latest, pa.bool_())))
            seen.update(sources)
        if not newest:
            newest = [self._schema.empty_table()]
        table = pa.concat_tables(newest[::-1], promote_options="default")
        if order == "input":
            place = {source: i for i, source in enumerate(columns)}
            places = [place.get(source, -1) for source in table["source"].to_pylist()]
            table = table.take(sorted(range(len(places)), key=places.__getitem__))
        table = _with_columns(table, columns)
        with _writing(self.out):
            self._write(table.replace_schema_metadata(self._schema.metadata), self.out)
            shutil.rmtree(self.parts)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the output, after :meth:`merge`."""
        with _parquet().ParquetFile(self.out) as file:
            for batch in file.iter_batches(_PART_ROWS):
                yield from batch.to_pylist()

    def columns(self) -> list[str]:
        """Return the columns of the output, after :meth:`merge`."""
        return list(_parquet().read_schema(self.out).names)

    @staticmethod
    def _write(table: pyarrow.Table, path: Path) -> None:
        """Write a file that is whole or not there."""
        partial = path.with_name(f".{path.name}.partial")
        with _writing(path):
            with partial.open("wb") as file:
                _parquet().write_table(table, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)


def _with_columns(table: pyarrow.Table, columns: Mapping[str, Mapping[str, str]]) -> pyarrow.Table:
    """Add what the manifest says; a video that it doesn't name keeps what an earlier one said."""
    pa = require_pyarrow()
    sources = table["source"].to_pylist()
    for name in dict.fromkeys(name for more in columns.values() for name in more):
        old = table[name].to_pylist() if name in table.column_names else [None] * len(sources)
        values = [
            # An empty cell is what is missing in CSV; here that is null.
            (columns[source].get(name) or None) if source in columns else before
            for source, before in zip(sources, old, strict=True)
        ]
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, pa.array(values, pa.string()))
    return table


def _differ(key: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return key not in ours or key not in theirs or bool(ours[key] != theirs[key])


def _parquet() -> Any:
    require_pyarrow()
    import pyarrow.parquet

    return pyarrow.parquet


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmoCLIPError(
            f"{error.filename or path}: can't be written ({error.strerror or error}). What is done "
            "is kept, and the same command goes on from there"
        ) from error
