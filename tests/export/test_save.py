"""Each format is read back by a library of its own field."""

from __future__ import annotations

import csv
import json
import math
import sys
from xml.etree import ElementTree

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.export.save import ENDINGS
from emoclip_sdk.results.records import ModelInfo
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

NAN = float("nan")
JOY = 'joy, "un <b>-forced</b>" & true'  # whatever a person may call a label


def row(track, start, joy, confidence=0.9):
    scores = {JOY: joy, "äger": 1 - joy}
    seen = not math.isnan(joy)
    return TimelineRow(
        track,
        start,
        start + 1.0,
        7 if seen else 0,
        scores,
        {JOY: joy / 3, "äger": (1 - joy) / 3},
        confidence if seen else NAN,
        confidence < 0.4,
        (10.0, 20.0, 50.0, 60.0) if seen else None,
        0.99 if seen else NAN,
    )


@pytest.fixture
def timeline():
    nothing = {JOY: NAN, "äger": NAN}
    rows = (
        *(row(0, float(t), joy) for t, joy in enumerate([0.75, 0.8, NAN, 0.7])),
        row(0, 4.0, 0.6, confidence=0.2),  # abstained
        row(0, 5.0, 0.1),
        *(row(1, float(t), joy) for t, joy in ((1, 0.2), (2, 0.3))),
        TimelineRow(None, 6.0, 7.0, 0, nothing, dict(nothing)),
    )
    model = ModelInfo("tiny", "abc", "0123456789ab")
    return Timeline(
        "ä clip.mp4", (JOY, "äger"), 1.0, 1.0, rows, duration=7.0, model=model, min_score=0.4
    )


# Best labels: face 0 JOY 0-2, JOY 3-4, äger 5-6; face 1 äger 1-3.

TABLE = [
    "source",
    "track",
    "start",
    "end",
    "face_found",
    "label",
    "confidence",
    "abstained",
    "n_frames",
    "face_x0",
    "face_y0",
    "face_x1",
    "face_y1",
    "detection_confidence",
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
    with (tmp_path / "out.CSV").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == TABLE
    assert [r["track"] for r in rows] == ["0"] * 6 + ["1"] * 2 + [""]
    assert rows[0]["source"] == "ä clip.mp4" and float(rows[0]["similarity:äger"]) == 0.25 / 3
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
    assert str(table["abstained"].dtype) == "boolean" and table["abstained"].isna().sum() == 2


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


CUES = [
    (0.0, 1.0, {0: JOY}),
    (1.0, 2.0, {0: JOY, 1: "äger"}),
    (2.0, 3.0, {1: "äger"}),
    (3.0, 4.0, {0: JOY}),
    (5.0, 6.0, {0: "äger"}),
]


def test_webvtt(timeline, tmp_path):
    webvtt = pytest.importorskip("webvtt")
    timeline.save(tmp_path / "out.vtt")
    raw = (tmp_path / "out.vtt").read_text(encoding="utf-8")
    assert raw.startswith("WEBVTT\n") and "<v face 1>äger" in raw and "&lt;b&gt;" in raw
    cues = webvtt.read(str(tmp_path / "out.vtt"))
    assert [(c.start_in_seconds, c.end_in_seconds) for c in cues] == [c[:2] for c in CUES]
    assert [c.voice for c in cues][:3] == ["face 0", "face 0", "face 1"]
    assert len(cues[1].lines) == 2


def test_srt(timeline, tmp_path):
    webvtt = pytest.importorskip("webvtt")
    timeline.save(tmp_path / "out.srt")
    cues = webvtt.from_srt(str(tmp_path / "out.srt"))
    assert [(c.start_in_seconds, c.end_in_seconds) for c in cues] == [c[:2] for c in CUES]
    assert cues[1].lines == [f"face 0: {JOY}", "face 1: äger"]


def test_elan(timeline, tmp_path):
    elan = pytest.importorskip("pympi.Elan")
    timeline.save(tmp_path / "out.eaf")
    found = elan.Eaf(str(tmp_path / "out.eaf"))
    assert sorted(found.get_tier_names()) == ["face 0", "face 0: score", "face 1", "face 1: score"]
    assert sorted(found.get_annotation_data_for_tier("face 0")) == [
        (0, 2000, JOY),
        (3000, 4000, JOY),
        (5000, 6000, "äger"),
    ]
    scores = sorted(found.get_ref_annotation_data_for_tier("face 0: score"))
    assert [s[2] for s in scores] == ["0.775", "0.700", "0.900"]
    words = found.get_cv_entries("labels") if hasattr(found, "get_cv_entries") else {}
    assert not words or len(words) == 2
    (media,) = found.media_descriptors
    assert media["RELATIVE_MEDIA_URL"] == "./%C3%A4%20clip.mp4"


def test_elan_points_to_a_video_that_is_there(timeline, tmp_path):
    import dataclasses

    (tmp_path / "videos").mkdir()
    video = tmp_path / "videos" / "my clip.mp4"
    video.touch()
    dataclasses.replace(timeline, source=str(video)).save(tmp_path / "out.eaf")
    media = ElementTree.parse(tmp_path / "out.eaf").find("HEADER/MEDIA_DESCRIPTOR").attrib
    assert media["MEDIA_URL"] == video.resolve().as_uri()
    assert media["RELATIVE_MEDIA_URL"] == "./videos/my%20clip.mp4"
    dataclasses.replace(timeline, source="array").save(tmp_path / "out.eaf")
    assert ElementTree.parse(tmp_path / "out.eaf").find("HEADER/MEDIA_DESCRIPTOR") is None


def test_textgrid(timeline, tmp_path):
    textgrid = pytest.importorskip("textgrid")
    timeline.save(tmp_path / "out.TextGrid")
    found = textgrid.TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    assert found.getNames() == ["face 0", "face 1"] and found.maxTime == 7.0
    told = [(i.minTime, i.maxTime, i.mark) for i in found.getFirst("face 0")]
    joy = JOY.replace('"', '""')  # this library keeps Praat's doubled quotes as they are
    assert [(a, b, mark.replace('""', '"')) for a, b, mark in told] == [
        (0, 2, joy.replace('""', '"')),
        (2, 3, ""),
        (3, 4, JOY),
        (4, 5, ""),
        (5, 6, "äger"),
        (6, 7, ""),
    ]


def test_rttm(timeline, tmp_path):
    pandas = pytest.importorskip("pandas")
    timeline.save(tmp_path / "out.rttm")
    # As pyannote.database reads it.
    names = ["type", "uri", "channel", "start", "duration", "_", "_2", "name", "confidence", "_3"]
    table = pandas.read_csv(tmp_path / "out.rttm", names=names, sep=r"\s+", quoting=csv.QUOTE_NONE)
    assert set(table["type"]) == {"SPEAKER"} and set(table["uri"]) == {"ä_clip"}
    assert table["start"].tolist() == [0, 1, 3, 5] and table["duration"].tolist() == [2, 2, 1, 1]
    assert table["name"].tolist()[1] == "face1/äger" and table["confidence"][0] == 0.775


def test_without_any_face(tmp_path):
    nothing = {"joy": NAN}
    empty = Timeline(
        "clip.mp4", ("joy",), 1.0, 1.0, (TimelineRow(None, 0, 1, 0, nothing, nothing),)
    )
    for ending in ENDINGS:
        if ending != ".parquet":
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
        odd.save(tmp_path / f"out{ending}")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("out.xlsx", "known are .csv"), ("no/out.csv", "can't be written"), ("no/out.eaf", "can't")],
)
def test_refused(timeline, tmp_path, name, complaint):
    with pytest.raises(EmoCLIPError, match=complaint):
        timeline.save(tmp_path / name)
