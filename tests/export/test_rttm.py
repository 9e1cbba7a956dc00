"""Best labels as RTTM."""

from __future__ import annotations

import csv

import pytest


def test_rttm(timeline, tmp_path):
    pandas = pytest.importorskip("pandas")
    timeline.save(tmp_path / "out.rttm")
    # As pyannote.database reads it.
    names = ["type", "uri", "channel", "start", "duration", "_", "_2", "name", "confidence", "_3"]
    table = pandas.read_csv(tmp_path / "out.rttm", names=names, sep=r"\s+", quoting=csv.QUOTE_NONE)
    assert set(table["type"]) == {"SPEAKER"} and set(table["uri"]) == {"ä_clip"}
    assert table["start"].tolist() == [0, 1, 3, 5] and table["duration"].tolist() == [2, 2, 1, 1]
    assert table["name"].tolist()[1] == "face1/äger" and table["confidence"][0] == 0.775
