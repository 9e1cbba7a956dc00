"""Files of a timeline: whatever the labels are called, each is read back by its own library."""

from __future__ import annotations

import csv
import json
import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.export.save import ENDINGS
from emoclip_sdk.results.records import ModelInfo
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

names = st.text(min_size=1, max_size=20).filter(str.strip)


@st.composite
def timelines(draw, words=names, steps=(0.25, 1.0, 1 / 3)):
    labels = draw(st.lists(words, min_size=1, max_size=3, unique=True))
    step = draw(st.sampled_from(steps))
    rows = []
    for track in range(draw(st.integers(0, 2))):
        for i in range(draw(st.integers(1, 4))):
            there = draw(st.booleans())
            values = draw(st.lists(st.floats(0.01, 1), min_size=len(labels), max_size=len(labels)))
            total = sum(values)
            scores = {
                name: value / total if there else math.nan
                for name, value in zip(labels, values, strict=True)
            }
            confidence = draw(st.floats(0, 1)) if there else math.nan
            rows.append(
                TimelineRow(
                    track,
                    i * step,
                    i * step + 1,
                    3 if there else 0,
                    scores,
                    {name: score / 3 for name, score in scores.items()},
                    confidence,
                    confidence < 0.3,
                )
            )
    source = draw(names)
    model = ModelInfo("tiny", None, "0123456789ab")
    return Timeline(source, tuple(labels), 1.0, step, tuple(rows), duration=6.0, model=model)


def finite(value):
    return None if isinstance(value, float) and math.isnan(value) else value


@given(timelines())
def test_every_format_is_a_whole_file_or_an_error_of_ours(tmp_path_factory, timeline):
    folder = tmp_path_factory.mktemp("export")
    for ending in ENDINGS:
        path = folder / f"out{ending}"
        try:
            timeline.save(path)
        except EmoCLIPError:
            assert not path.exists()
    assert [p for p in folder.iterdir() if not p.name.startswith("out.")] == []


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")),
    min_size=1,
    max_size=20,
).filter(lambda text: text == text.strip() and text)


@given(timelines(printable))
def test_tables_come_back(tmp_path_factory, timeline):
    folder = tmp_path_factory.mktemp("tables")
    records = timeline.to_records()
    for ending in (".csv", ".jsonl", ".json"):
        timeline.save(folder / f"t{ending}")
    assert json.loads((folder / "t.json").read_text(encoding="utf-8")) == timeline.to_dict()
    lines = [
        json.loads(x) for x in (folder / "t.jsonl").read_text(encoding="utf-8").split("\n") if x
    ]
    assert lines == [{key: finite(value) for key, value in r.items()} for r in records]
    with (folder / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, record in zip(rows, records, strict=True):
        label = record["label"] or ""
        formula = label.startswith(tuple("=+-@\t\r\n＝＋－＠"))  # noqa: RUF001
        assert row["label"] == "'" * formula + label
    for row, record in zip(rows, records, strict=True):
        for label in timeline.labels:
            assert float(row[f"score:{label}"] or "nan") == pytest.approx(
                record[f"score:{label}"],
                rel=1e-5,  # CSV has six digits
                nan_ok=True,
            )


# Windows side by side: where they overlap, one without the face takes the time of the others.
@given(timelines(printable, steps=(1.0,)))
def test_annotations_come_back(tmp_path_factory, timeline):
    elan, webvtt = pytest.importorskip("pympi.Elan"), pytest.importorskip("webvtt")
    folder = tmp_path_factory.mktemp("annotations")
    for ending in (".eaf", ".vtt", ".srt", ".TextGrid"):
        timeline.save(folder / f"t{ending}")
    told = {
        " ".join(row.label.split())
        for row in timeline.rows
        if row.label is not None and not row.abstained
    }
    file = elan.Eaf(str(folder / "t.eaf"))
    tiers = [name for name in file.get_tier_names() if ":" not in name]
    spoken = {x[2] for name in tiers for x in file.get_annotation_data_for_tier(name)}
    assert spoken == told
    ElementTree.parse(folder / "t.eaf")
    if not told:
        assert (folder / "t.srt").read_text() == ""
        return
    for cues in (webvtt.read(str(folder / "t.vtt")), webvtt.from_srt(str(folder / "t.srt"))):
        assert list(cues) and all(cue.end > cue.start for cue in cues)
