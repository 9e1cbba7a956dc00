"""Results as flat rows: CSV, JSON Lines, Parquet, Excel.

A row of a timeline can be written as soon as it is there, so a video of any length goes through.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import MissingDependencyError
from ..results.numbers import nullable
from ..results.tables import COUNTS, FLAGS, TEXTS
from ..results.text import unicode_text
from .excel import open_workbook, require_openpyxl
from .files import atomic_write

if TYPE_CHECKING:
    import pyarrow

    from ..results.records import ModelInfo
    from ..results.scored_windows import TimelineRow

__all__ = [
    "FORMULA",
    "TABLES",
    "require_pyarrow",
    "require_writer",
    "save_records",
    "save_rows",
    "table_schema",
    "write_csv",
]

# Also the wide forms, which some spreadsheets read alike.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that a spreadsheet would run; in CSV it has an apostrophe before it."""
_ROW_GROUP = 4096  # rows of a Parquet file that wait to be written together

Record = dict[str, Any]
Opened = AbstractContextManager[Callable[[Record], Any]]


def write_csv(records: Sequence[Record], file: TextIO) -> None:
    """Write flat rows as CSV, as :func:`save_records` does; what is missing is an empty field."""
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
        record = {name: _cell(value) for name, value in nullable(record).items()}
        returns = any(isinstance(value, str) and "\r" in value for value in record.values())
        (quoted if returns else plain).writerow(record)

    write(dict(zip(columns, columns, strict=True)))
    return write


def _cell(value: Any) -> Any:
    """Return a number to be read by people, and a text that no spreadsheet runs as a formula.

    See OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    if isinstance(value, float):
        # Times are rounded to a microsecond; of a share, six digits are more than are measured.
        return round(value, 6) if abs(value) >= 1 else float(f"{value:.6g}")
    return value


def save_rows(
    rows: Iterable[TimelineRow],
    path: str | Path,
    *,
    source: str,
    labels: Sequence[str],
    model: ModelInfo | None = None,
    origin: str | None = None,
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
    origin : str, optional
        The file that they were read from.

    Raises
    ------
    EmoCLIPError
        The file can't be written.
    MissingDependencyError
        What writes this format (:func:`require_writer`) is not installed.
    """
    from ..results.scored_windows import TimelineRow

    nothing = dict.fromkeys(labels, math.nan)
    rows = iter(rows)
    first = next(rows, None)
    # All rows have the columns of the first one: those of actions only where they were asked for.
    example = first or TimelineRow(None, 0, 0, 0, nothing, nothing)
    columns = list(example.to_record(source, model))
    rows = itertools.chain([] if first is None else [first], rows)
    records = (row.to_record(source, model) for row in rows)
    return save_records(records, path, columns, origin)


def save_records(
    records: Iterable[Record],
    path: str | Path,
    columns: Sequence[str],
    origin: str | None = None,
) -> int:
    """Write flat rows as a table while they come, as :func:`save_rows`; return how many.

    CSV is for spreadsheets, too: a text that would be a formula there (``=``, ``+``, ``-``, ``@``)
    gets an apostrophe before it, and where names are not plain ASCII, the file begins with a byte
    order mark, which tells Excel that it is UTF-8. Its numbers have six decimals, those below 1 six
    digits; the other formats have all.

    Parameters
    ----------
    records : iterable of dict
    path : str or Path
        With one of the endings of `TABLES`.
    columns : sequence of str
        ``"source"`` and the other keys of the records, of which some may be missing.
    origin : str, optional
        The file that they were read from.

    Raises
    ------
    EmoCLIPError
        The file can't be written.
    MissingDependencyError
        What writes this format (:func:`require_writer`) is not installed.
    """
    path = Path(path)
    n = 0
    with atomic_write(path, origin) as part, TABLES[path.suffix.lower()](part, columns) as write:
        for record in records:
            row = {name: record.get(name) for name in columns}
            write({**row, "source": unicode_text(record["source"])})
            n += 1
    return n


def require_pyarrow() -> ModuleType:
    """Import pyarrow.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", "Writing Parquet") from None
    return pyarrow


def require_writer(path: str | Path) -> None:
    """Import what writes a file of this ending; call it before work begins.

    Raises
    ------
    MissingDependencyError
        Parquet, and pyarrow is not installed; a workbook of Excel, and openpyxl isn't.
    """
    ending = Path(path).suffix.lower()
    if ending == ".parquet":
        require_pyarrow()
    elif ending == ".xlsx":
        require_openpyxl()


def table_schema(columns: Sequence[str], texts: Sequence[str] = ()) -> pyarrow.Schema:
    """Return the types of a table's columns in Parquet; `texts` are further columns of text."""
    pa = require_pyarrow()
    types = {
        **dict.fromkeys(COUNTS, pa.int32()),
        **dict.fromkeys(FLAGS, pa.bool_()),
        **dict.fromkeys((*TEXTS, *texts), pa.string()),
    }
    return pa.schema([(name, types.get(name, pa.float64())) for name in columns])


@contextmanager
def _csv(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    with path.open("w", encoding="utf-8", newline="", buffering=1) as file:
        begun: Callable[[Record], Any] | None = None

        def begin(first: Record) -> Callable[[Record], Any]:
            texts = [text for text in [*columns, *first.values()] if isinstance(text, str)]
            if not all(map(str.isascii, texts)):
                file.write("\ufeff")
            return _row_writer(file, columns)

        def write(record: Record) -> None:
            nonlocal begun
            begun = begun or begin(record)
            begun(record)

        yield write
        if begun is None:
            begin({})


@contextmanager
def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    with path.open("w", encoding="utf-8", buffering=1) as file:
        yield lambda record: file.write(json.dumps(nullable(record), ensure_ascii=False) + "\n")


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], Any]]:
    pyarrow = require_pyarrow()
    from pyarrow.parquet import ParquetWriter

    schema = table_schema(columns)
    waiting: list[Record] = []
    with path.open("wb") as file, ParquetWriter(file, schema) as writer:

        def flush() -> None:
            if waiting:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema))
                waiting.clear()

        def write(record: Record) -> None:
            waiting.append(nullable(record))
            if len(waiting) >= _ROW_GROUP:
                flush()

        yield write
        flush()


TABLES: dict[str, Callable[[Path, Sequence[str]], Opened]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
    ".xlsx": open_workbook,
}
"""How a table of an ending is opened: yields the function that writes a row."""
