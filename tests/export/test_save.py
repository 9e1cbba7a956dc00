"""Each format is read back by a library of its own field."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.export.save import ENDINGS
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

from .conftest import JOY, NAN

TABLE = [
    "source",
    "track",
    "start",
    "end",
    "seen_start",
    "seen_end",
    "first_frame",
    "last_frame",
    "face_found",
    "reason",
    "answer",
    "label",
    "confidence",
    "abstained",
    "n_frames",
    "face_x0",
    "face_y0",
    "face_x1",
    "face_y1",
    "detection_confidence",
    "face_size",
    "sharpness",
    "brightness",
    "outside",
    "quality",
    f"score:{JOY}",
    "score:äger",
    f"similarity:{JOY}",
    "similarity:äger",
    "model",
    "revision",
    "prompt_bank",
]


def test_csv(timeline, tmp_path):
    timeline.save(tmp_path / "out.CSV")
    with (tmp_path / "out.CSV").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == TABLE
    assert [r["track"] for r in rows] == ["0"] * 6 + ["1"] * 2 + [""]
    assert rows[0]["source"] == "ä clip.mp4" and rows[0]["similarity:äger"] == "0.0833333"
    assert rows[2]["label"] == "" and rows[2][f"score:{JOY}"] == ""


def test_json(timeline, tmp_path):
    timeline.save(tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert json.loads(text) == timeline.to_dict()
    assert "NaN" not in text


def test_pandas(timeline):
    pytest.importorskip("pandas")
    table = timeline.to_pandas()
    assert list(table.columns) == TABLE and len(table) == 9
    assert table[f"score:{JOY}"].isna().tolist() == [i in (2, 8) for i in range(9)]
    assert str(table["track"].dtype) == "Int64" and table["track"].isna().sum() == 1
    assert str(table["abstained"].dtype) == "boolean" and table["abstained"].isna().sum() == 1


def test_pandas_missing(timeline, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install"):
        timeline.to_pandas()


def test_json_lines_and_parquet_are_the_same_table(timeline, tmp_path):
    pandas = pytest.importorskip("pandas")
    parquet = pytest.importorskip("pyarrow.parquet")
    timeline.save(tmp_path / "out.jsonl")
    timeline.save(tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == TABLE
    assert table["track"].to_pylist() == [0] * 6 + [1] * 2 + [None]
    assert table["face_x0"].to_pylist()[1:3] == [10.0, None]
    assert table["abstained"].to_pylist()[4] is True
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    read = pandas.read_json(tmp_path / "out.jsonl", lines=True)
    assert read[f"score:{JOY}"].tolist()[:2] == [0.75, 0.8]


def test_parquet_missing(timeline, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"emoclip_sdk\[parquet\]"):
        timeline.save(tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


def test_without_any_face(tmp_path):
    nothing = {"joy": NAN}
    empty = Timeline(
        "clip.mp4", ("joy",), 1.0, 1.0, (TimelineRow(None, 0, 1, 0, nothing, nothing),)
    )
    for ending in ENDINGS:
        if ending not in (".parquet", ".xlsx"):
            empty.save(tmp_path / f"out{ending}")
    assert (tmp_path / "out.rttm").read_text() == (tmp_path / "out.srt").read_text() == ""
    textgrid = pytest.importorskip("textgrid")
    (tier,) = textgrid.TextGrid.fromFile(str(tmp_path / "out.textgrid"))
    assert [i.mark for i in tier] == [""]


def test_a_name_that_is_no_text(timeline, tmp_path):
    import dataclasses

    odd = dataclasses.replace(timeline, source=b"\xff.mp4".decode("utf-8", "surrogateescape"))
    for ending in ENDINGS:
        if ending == ".parquet":
            pytest.importorskip("pyarrow")
        if ending == ".xlsx":
            pytest.importorskip("openpyxl")
        odd.save(tmp_path / f"out{ending}")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("out.ods", "known are .csv"), ("no/out.csv", "can't be written"), ("no/out.eaf", "can't")],
)
def test_refused(timeline, tmp_path, name, complaint):
    with pytest.raises(EmoCLIPError, match=complaint):
        timeline.save(tmp_path / name)
