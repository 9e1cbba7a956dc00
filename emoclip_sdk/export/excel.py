"""Tables as workbooks of Excel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from ..results.numbers import nullable
from ..runtime.packages import require_package

__all__ = ["open_workbook", "read_workbook", "require_openpyxl"]

_ROWS = 1_048_576  # of a sheet, its names of columns among them
_REPLACEMENT = "\ufffd"  # for what a workbook can't hold

Record = dict[str, Any]


def require_openpyxl() -> None:
    """Refuse to begin what would fail at its end.

    Raises
    ------
    MissingDependencyError
        openpyxl is not installed.
    """
    require_package("openpyxl", "excel", "A table for Excel (.xlsx)")


@contextmanager
def open_workbook(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Record], None]]:
    """Yield what writes a row; the first line has the names of the columns and stays in view.

    Numbers are numbers and texts are texts, also those that begin like a formula. What is missing
    is an empty cell.

    Raises
    ------
    EmoCLIPError
        More rows than a sheet can hold.
    MissingDependencyError
        openpyxl is not installed.
    """
    require_openpyxl()
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("emoclip")
    sheet.freeze_panes = "A2"
    n = 0

    def write(record: Record) -> None:
        nonlocal n
        if n == _ROWS:
            raise EmoCLIPError(
                f"{path.name}: a sheet of Excel holds {_ROWS - 1:,} rows, and there are more. "
                "Write .csv or .parquet"
            )
        sheet.append([_cell(sheet, value) for value in nullable(record).values()])
        n += 1

    write(dict(zip(columns, columns, strict=True)))
    try:
        yield write
    finally:
        sheet.close()  # openpyxl removes the file behind it when it saves, or at the end
    book.save(path)


def read_workbook(path: Path) -> Iterator[Record]:
    """Yield the rows that were written, with None for an empty cell.

    Raises
    ------
    OSError
        The file can't be read.
    ValueError
        It is no workbook.
    """
    require_openpyxl()
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True)
        columns = next(rows)
        for row in rows:
            yield {**dict.fromkeys(columns), **dict(zip(columns, row, strict=False))}
        book.close()
    except (zipfile.BadZipFile, KeyError, InvalidFileException, StopIteration) as error:
        raise ValueError(f"no workbook of Excel: {error}") from error


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(_REPLACEMENT, value))
    cell.data_type = "s"
    return cell
