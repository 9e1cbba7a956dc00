"""Tables as workbooks of Excel."""

from __future__ import annotations

import math

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.export import excel
from emoclip_sdk.export.tables import require_writer, save_records

openpyxl = pytest.importorskip("openpyxl")
COLUMNS = ["source", "start", "track", "abstained", "score:joy"]
ROWS = [
    {"source": "=1+1", "start": 0.5, "track": 0, "abstained": True, "score:joy": 0.1234567891},
    {"source": "Zoë\x01.mp4", "start": 12.0, "track": None, "score:joy": math.nan},
]


def test_as_excel_reads_it(tmp_path):
    """A text is a text and a number a number; what is missing is an empty cell."""
    path = tmp_path / "out.xlsx"
    assert save_records(ROWS, path, COLUMNS) == 2
    sheet = openpyxl.load_workbook(path).active
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]] == COLUMNS
    assert [cell.value for cell in cells[1]] == ["=1+1", 0.5, 0, True, 0.1234567891]
    assert [cell.data_type for cell in cells[1]] == ["s", "n", "n", "b", "n"]  # no formula
    assert [cell.value for cell in cells[2]] == ["Zoë\ufffd.mp4", 12, None, None, None]
    assert sheet.freeze_panes == "A2"
    assert [tuple(row) for row in excel.read_workbook(path)] == [tuple(COLUMNS)] * 2


def test_pandas_reads_it(tmp_path):
    pandas = pytest.importorskip("pandas")
    save_records(ROWS, tmp_path / "out.xlsx", COLUMNS)
    table = pandas.read_excel(tmp_path / "out.xlsx")
    assert list(table["start"]) == [0.5, 12.0]
    assert table["score:joy"].isna().tolist() == [False, True]


def test_more_rows_than_a_sheet_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(excel, "_ROWS", 2)
    with pytest.raises(EmoCLIPError, match=r"out\.xlsx.*holds 1 rows.*Write \.csv"):
        save_records(ROWS, tmp_path / "out.xlsx", COLUMNS)
    assert not list(tmp_path.iterdir())


def test_without_openpyxl(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"emoclip_sdk\[excel\]"):
        require_writer("out.xlsx")
