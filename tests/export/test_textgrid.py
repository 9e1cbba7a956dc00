"""Best labels as a TextGrid of Praat."""

from __future__ import annotations

import pytest

from .conftest import JOY


def test_textgrid(timeline, tmp_path):
    textgrid = pytest.importorskip("textgrid")
    timeline.save(tmp_path / "out.TextGrid")
    document = textgrid.TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    assert document.getNames() == ["face 0", "face 1"] and document.maxTime == 7.0
    intervals = [(i.minTime, i.maxTime, i.mark) for i in document.getFirst("face 0")]
    joy = JOY.replace('"', '""')  # this library keeps Praat's doubled quotes as they are
    assert [(a, b, mark.replace('""', '"')) for a, b, mark in intervals] == [
        (0, 2, joy.replace('""', '"')),
        (2, 3, ""),
        (3, 4, JOY),
        (4, 5, ""),
        (5, 6, "äger"),
        (6, 7, ""),
    ]
