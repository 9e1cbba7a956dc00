from __future__ import annotations

import csv
import io
import json
import math
import sys

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError, VideoError
from emoclip_sdk.export.tables import prediction_records, save_rows, write_csv
from emoclip_sdk.results import Prediction, Timeline, TimelineRow

NAN = float("nan")


@pytest.fixture
def timeline():
    rows = tuple(
        TimelineRow(track, float(at), at + 2.0, 3 - at, scores, scores)
        for track in (0, 1)
        for at, scores in ((0, {"joy": 0.75, "a, b": 0.25}), (3, {"joy": NAN, "a, b": NAN}))
    )
    return Timeline("ä clip.mp4", ("joy", "a, b"), 2.0, 3.0, rows)


def test_csv(timeline, tmp_path):
    timeline.save(tmp_path / "out.CSV")
    with (tmp_path / "out.CSV").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    head = ["source", "track", "start", "end", "n_frames", "label", "confidence", "abstained"]
    assert list(rows[0]) == [*head, "joy", "a, b"]
    assert [row["track"] for row in rows] == ["0", "0", "1", "1"]
    assert rows[0]["source"] == "ä clip.mp4" and float(rows[0]["a, b"]) == 0.25
    assert rows[1]["label"] == "" and math.isnan(float(rows[1]["joy"]))


def test_json(timeline, tmp_path):
    timeline.save(tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert json.loads(text) == timeline.to_dict()
    assert "NaN" not in text


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("out.xlsx", "saved as .csv or .json"), ("no/out.csv", "can't be written")],
)
def test_refused(timeline, tmp_path, name, complaint):
    with pytest.raises(EmoCLIPError, match=complaint):
        timeline.save(tmp_path / name)


def test_prediction_records_of_good_and_failed():
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
    write_csv(prediction_records([good, bad]), file)
    assert file.getvalue() == (
        "source,face_found,track,n_tracks,n_frames,label,confidence,abstained,error,joy\n"
        "a.mp4,True,2,0,4,joy,0.1,True,,1.0\n"
        "b.mp4,False,,0,0,,nan,False,broken,nan\n"
    )


def test_pandas(timeline):
    pytest.importorskip("pandas")
    table = timeline.to_pandas()
    assert list(table.columns)[-2:] == ["joy", "a, b"] and len(table) == 4
    assert table["joy"].isna().tolist() == [False, True, False, True]


def test_pandas_missing(timeline, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install"):
        timeline.to_pandas()


def test_rows_are_written_while_they_come(tmp_path):
    out = tmp_path / "out.csv"

    def rows(fail: bool = False):
        for i in range(3):
            yield TimelineRow(0, i, i + 1.0, 7, {"joy": 0.25}, {"joy": 0.1})
            seen = (tmp_path / "out.csv.part").read_text().splitlines()
            assert len(seen) == i + 2 and not out.exists()
        if fail:
            raise VideoError("clip.mp4", "is cut off")

    assert save_rows(rows(), "clip.mp4", out) == 3
    written = out.read_text()
    assert written.splitlines()[1].startswith("clip.mp4,0,0,1.0,7,joy,nan,False,0.25")
    out.unlink()
    with pytest.raises(VideoError):
        save_rows(rows(fail=True), "clip.mp4", out)
    assert not list(tmp_path.iterdir())
