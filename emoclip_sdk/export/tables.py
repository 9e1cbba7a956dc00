"""Results as flat rows: CSV, JSON Lines, Parquet, data frames.

A row of a timeline can be written as soon as it is there, so a video of any length goes through.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import MissingDependencyError
from .files import atomic_write

if TYPE_CHECKING:
    from ..results.records import ModelInfo, Prediction, TimelineRow

__all__ = ["TABLES", "prediction_records", "save_rows", "write_csv"]

_ROW_GROUP = 4096  # rows of a Parquet file that wait to be written together

Record = dict[str, Any]
Opened = AbstractContextManager[Callable[[Record], Any]]


def prediction_records(predictions: Sequence[Prediction]) -> list[Record]:
    """Flatten predictions: one row each, two columns per label."""
    return [
        {
            "source": p.source,
            "face_found": p.face_found,
            "track": p.track,
            "n_tracks": p.n_tracks,
            "n_frames": p.n_frames,
            "label": p.label,
            "confidence": p.confidence,
            "abstained": p.abstained,
            "error": p.error,
            **{f"score:{label}": value for label, value in p.scores.items()},
            **{f"similarity:{label}": value for label, value in p.similarities.items()},
        }
        for p in predictions
    ]


def write_csv(records: Sequence[Record], file: TextIO) -> None:
    """Write flat rows as CSV; None becomes an empty field, NaN stays ``nan``."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    write = _row_writer(file, columns)
    for record in records:
        write(record)


def _row_writer(file: TextIO, columns: Sequence[str]) -> Callable[[Record], Any]:
    """Write the names of the columns; return what writes a row."""
    plain = csv.DictWriter(file, columns, lineterminator="\n")
    # A carriage return in a name ends a line for readers, and isn't quoted where "\n" ends lines.
    quoted = csv.DictWriter(file, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(record: Record) -> None:
        returns = any(isinstance(value, str) and "\r" in value for value in record.values())
        (quoted if returns else plain).writerow(record)

    write(dict(zip(columns, columns, strict=True)))
    return write


def save_rows(
    rows: Iterable[TimelineRow],
    path: str | Path,
    *,
    source: str,
    labels: Sequence[str],
    model: ModelInfo | None = None,
) -> int:
    """Write rows of a timeline as a table while they come; return how many there were.

    They go to ``NAME.part`` beside the file, which takes its name when it is whole. What raises an
    error leaves neither behind.

    Parameters
    ----------
    rows : iterable of TimelineRow
    path : str or Path
        With one of the endings of `TABLES`.
    source : str
        What the rows call the video.
    labels : sequence of str
        Those of the rows.
    model : ModelInfo, optional

    Raises
    ------
    EmoCLIPError
        The file can't be written.
    MissingDependencyError
        Parquet, and pyarrow is not installed.
    """
    from ..results.records import TimelineRow

    path = Path(path)
    source = source.encode("utf-8", "backslashreplace").decode()  # names need not be text
    nothing = dict.fromkeys(labels, math.nan)
    columns = list(TimelineRow(None, 0, 0, 0, nothing, nothing).to_record(source, model))
    n = 0
    with atomic_write(path) as part, TABLES[path.suffix.lower()](part, columns) as write:
        for row in rows:
            write(row.to_record(source, model))
            n += 1
    return n


@contextmanager
def _csv(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    with path.open("w", encoding="utf-8", newline="", buffering=1) as file:
        yield _row_writer(file, columns)


@contextmanager
def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    with path.open("w", encoding="utf-8", buffering=1) as file:
        yield lambda record: file.write(json.dumps(_nulls(record), ensure_ascii=False) + "\n")


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", "Writing Parquet") from None
    types = {
        "track": pyarrow.int32(),
        "n_frames": pyarrow.int32(),
        "abstained": pyarrow.bool_(),
        **dict.fromkeys(("source", "label", "model", "revision", "prompt_bank"), pyarrow.string()),
    }
    schema = pyarrow.schema([(name, types.get(name, pyarrow.float64())) for name in columns])
    waiting: list[Record] = []
    with path.open("wb") as file, ParquetWriter(file, schema) as writer:

        def flush() -> None:
            if waiting:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema))
                waiting.clear()

        def write(record: Record) -> None:
            waiting.append(_nulls(record))
            if len(waiting) >= _ROW_GROUP:
                flush()

        yield write
        flush()


def _nulls(record: Record) -> Record:
    """Return a row with None for NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in record.items()
    }


TABLES: dict[str, Callable[[Path, Sequence[str]], Opened]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
"""How a table of an ending is opened: yields the function that writes a row."""
