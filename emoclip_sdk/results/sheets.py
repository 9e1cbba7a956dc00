"""Tables of a spreadsheet: CSV with commas, semicolons or tabs, and workbooks of Excel."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from ..runtime.packages import require_package

__all__ = ["SHEETS", "Sheet", "SheetRow", "read_sheet", "time_seconds"]

SHEETS = (".csv", ".tsv", ".xlsx")
"""Endings of what :func:`read_sheet` reads."""

_FIRST_LINE = re.compile(r"sep=(.)\r?\n")  # which is for Excel
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d(?:\.\d*)?)")


@dataclass(frozen=True)
class SheetRow:
    """One line of a table.

    Attributes
    ----------
    values : dict of str to str
        By the names of the columns; empty text where a cell is empty.
    where : str
        File and line, for messages.
    separator : str
        Between the columns of the table.
    """

    values: dict[str, str]
    where: str
    separator: str

    def seconds(self, column: str) -> float | None:
        """Read a time: seconds or ``HH:MM:SS.mmm``; None where the cell is empty or not there.

        Raises
        ------
        EmoCLIPError
            It is neither.
        """
        text = self.values.get(column, "").strip()
        if not text:
            return None
        # Where a comma is no separator, it may be the decimal point.
        number = text if self.separator == "," else text.replace(",", ".")
        return time_seconds(number, f"{self.where}: '{text}' in column {column}")


def time_seconds(text: str, name: str) -> float:
    """Read a time: seconds or ``HH:MM:SS.mmm``.

    Raises
    ------
    EmoCLIPError
        It is neither; `name` is what the message calls it.
    """
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return 3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3])
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise EmoCLIPError(f"{name} is no number of seconds, and no time such as 00:01:12.5")
    return seconds


@dataclass(frozen=True)
class Sheet:
    """A table: the names of its columns, and its lines without those that are empty."""

    columns: list[str]
    rows: list[SheetRow]


def read_sheet(file: Path, required: Collection[str]) -> Sheet:
    """Read a table in UTF-8, or in UTF-16 with its mark, or the first sheet of a workbook.

    Parameters
    ----------
    file : Path
    required : collection of str
        Names of columns, of which one at least must be there; it tells the separator, too.

    Raises
    ------
    EmoCLIPError
        The file can't be read or is no such table.
    MissingDependencyError
        A workbook (``.xlsx``), and openpyxl is not installed.
    """
    if file.suffix.lower() == ".xlsx":
        return _workbook(file, required)
    try:
        text = _text(file)
        first = _FIRST_LINE.match(text)
        separator = first[1] if first else _separator(text, required)
        reader = csv.DictReader(
            io.StringIO(text[first.end() if first else 0 :], newline=""),
            restkey="",
            strict=True,
            delimiter=separator,
        )
        names = list(reader.fieldnames or [])
        _check_names(names, file, required)
        return Sheet(names, list(_rows(reader, file, names, separator, int(first is not None))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise EmoCLIPError(
            f"{file}: can't be read as CSV in UTF-8 ({reason}). In Excel, save it as 'CSV UTF-8'"
        ) from error


def _check_names(names: Sequence[str], file: Path, required: Collection[str]) -> None:
    if not any(name in names for name in required):
        either = " or ".join(f"'{name}'" for name in required)
        raise EmoCLIPError(f"{file}: has no column {either}; its columns are {list(names)}")
    if len(set(names)) < len(names) or "" in names:
        raise EmoCLIPError(f"{file}: a column has no name, or two have the same: {list(names)}")


def _rows(
    reader: csv.DictReader[str], file: Path, names: list[str], separator: str, above: int
) -> Iterator[SheetRow]:
    for values in reader:
        where = f"{file}, line {reader.line_num + above}"
        if "" in values or None in values.values():
            raise EmoCLIPError(f"{where}: not {len(names)} fields, as the first line has")
        if any(value.strip() for value in values.values()):  # a line may have been emptied
            yield SheetRow(values, where, separator)


def _text(file: Path) -> str:
    content = file.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _separator(text: str, required: Collection[str]) -> str:
    """Return what separates the columns: what makes one of them a required one."""
    for separator in (",", ";", "\t"):
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        if any(name in header for name in required):
            return separator
    return ","


def _workbook(file: Path, required: Collection[str]) -> Sheet:
    """Read the first sheet of a workbook of Excel."""
    require_package("openpyxl", "excel", "Reading .xlsx")
    import openpyxl

    try:
        with file.open("rb") as opened:
            book = openpyxl.load_workbook(opened, read_only=True, data_only=True)
            cells = [[_text_of(cell) for cell in row] for row in book.worksheets[0].values]
            book.close()
    except OSError as error:
        raise EmoCLIPError(f"{file}: can't be read ({error.strerror or error})") from error
    except Exception as error:  # of zipfile, of XML, of openpyxl itself
        raise EmoCLIPError(f"{file}: can't be read as a workbook of Excel ({error})") from error
    width = max((i + 1 for row in cells for i, cell in enumerate(row) if cell), default=0)
    names, *rows = [row[:width] + [""] * (width - len(row)) for row in cells] or [[]]
    _check_names(names, file, required)
    found = [
        SheetRow(dict(zip(names, row, strict=True)), f"{file}, row {number}", "\t")
        for number, row in enumerate(rows, 2)
        if any(cell.strip() for cell in row)
    ]
    return Sheet(names, found)


def _text_of(cell: Any) -> str:
    """Return what a cell says, a time as ``HH:MM:SS.mmm``."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):  # a cell of the format [h]:mm:ss
        return f"{cell.total_seconds():.15g}"
    return str(cell)
