from __future__ import annotations

import csv
import io
import json

import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.export.tables import save_rows, write_csv
from emoclip_sdk.results.records import Prediction
from emoclip_sdk.results.scored_windows import TimelineRow

NAN = float("nan")


def test_csv_of_good_and_failed_has_nothing_where_something_is_missing():
    good = Prediction(
        "a.mp4",
        {"joy": 1.0},
        {"joy": 0.3},
        {"joy": "bank"},
        track=2,
        n_frames=4,
        confidence=0.1,
        abstained=True,
    )
    bad = Prediction("b.mp4", {"joy": NAN}, {"joy": NAN}, {"joy": "bank"}, error="broken")
    file = io.StringIO()
    write_csv([good.to_record(), bad.to_record()], file)
    assert file.getvalue() == (
        "source,status,face_found,error,reason,track,n_tracks,n_frames,duration,answer,label,"
        "confidence,abstained,reliability,face_size,sharpness,brightness,outside,quality,score:joy,similarity:joy,model,revision,prompt_bank\n"
        "a.mp4,ok,True,,,2,0,4,,,joy,0.1,True,,,,,,,1.0,0.3,,,\n"
        "b.mp4,failed,,broken,,,,,,,,,,,,,,,,,,,,\n"
    )


def test_rows_are_written_while_they_come(tmp_path):
    out = tmp_path / "out.csv"

    def rows(fail: bool = False):
        for i in range(3):
            yield TimelineRow(0, i, i + 1.0, 7, {"joy": 0.25}, {"joy": 0.1})
            seen = (tmp_path / "out.csv.part").read_text().splitlines()
            assert len(seen) == i + 2 and not out.exists()
        if fail:
            raise VideoError("clip.mp4", "is cut off")

    about = dict(source="clip.mp4", labels=["joy"])
    assert save_rows(rows(), out, **about) == 3
    assert (
        out.read_text().splitlines()[1].startswith("clip.mp4,0,0,1.0,0,1.0,,,True,,joy,joy,,,7,,")
    )
    out.unlink()
    with pytest.raises(VideoError):
        save_rows(rows(fail=True), out, **about)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (1 / 3, "0.333333"),
        (2e-7 / 3, "6.66667e-08"),
        (4321.000001, "4321.000001"),
        (123.4567890123, "123.456789"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_have_as_many_digits_as_one_reads(value, cell):
    file = io.StringIO()
    write_csv([{"score:joy": value}], file)
    assert file.getvalue() == f"score:joy\n{cell}\n"


def test_a_name_with_a_carriage_return_stays_in_its_field():
    file = io.StringIO()
    write_csv([Prediction("a\rb.mp4", {"joy": 1.0}, {"joy": 0.3}, {}).to_record()], file)
    file.seek(0)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row["source"] == "a\rb.mp4" and row["score:joy"] == "1.0"


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("-1", "'-1"),
        ("@joy", "'@joy"),
        ("+", "'+"),
        ("a=b", "a=b"),
        ("愛", "愛"),
    ],
)
def test_a_spreadsheet_runs_no_text_and_reads_every_letter(tmp_path, label, cell):
    row = TimelineRow(0, 0.0, 1.0, 7, {label: 0.25}, {label: -0.5})
    save_rows([row], tmp_path / "out.csv", source="=clip.mp4", labels=[label])
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf") == (not label.isascii())
    (found,) = csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
    assert found["label"] == cell and found["source"] == "'=clip.mp4"
    assert float(found[f"similarity:{label}"]) == -0.5, "numbers are as they were"
    save_rows([row], tmp_path / "out.jsonl", source="=clip.mp4", labels=[label])
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["label"] == label


def test_what_is_missing_is_missing_in_one_way(tmp_path):
    """Somebody out of view, with all columns that can be asked for: an empty cell, or null."""
    parquet = pytest.importorskip("pyarrow.parquet")
    nothing = {"joy": NAN}
    gap = TimelineRow(
        2,
        1.0,
        3.0,
        0,
        nothing,
        nothing,
        reason="out of view",
        actions={"jawOpen": NAN},
        score_changes=nothing,
        action_changes={"jawOpen": NAN},
    )
    present = {"source", "track", "start", "end", "face_found", "reason", "n_frames"}
    for ending in (".csv", ".jsonl", ".parquet"):
        save_rows([gap], tmp_path / f"out{ending}", source="a.mp4", labels=["joy"])
    (cells,) = csv.DictReader((tmp_path / "out.csv").open())
    assert {name for name, cell in cells.items() if cell != ""} == present
    assert (cells["face_found"], cells["reason"]) == ("False", "out of view")
    line = json.loads((tmp_path / "out.jsonl").read_text())
    (row,) = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    for record in (line, row):
        assert record.keys() == cells.keys()
        assert {name for name, value in record.items() if value is not None} == present
    assert record["face_found"] is False
    document = gap.to_dict()
    for name in ("label", "confidence", "abstained", "box", "quality", "action_text", "baseline"):
        assert document[name] is None, name
    assert document["actions"] == {"jawOpen": None} and document["scores"] == {"joy": None}
