from __future__ import annotations

import sys

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.results import Timeline, TimelineRow

NAN = float("nan")


def timeline(*tracks):
    rows = tuple(
        TimelineRow(track, float(at), at + 1.0, int(seen), {"joy": score}, {"joy": score})
        for track in tracks
        for at, (seen, score) in enumerate([(True, 0.7), (False, NAN), (True, 0.4)])
    )
    return Timeline("clip.mp4", ("joy",), 1.0, 1.0, rows)


def test_one_panel_per_face(tmp_path):
    pytest.importorskip("matplotlib")
    figure = timeline(0, 1).plot(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"
    assert [axes.get_title() for axes in figure.axes] == ["face 0", "face 1"]
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [0.5, 1.5, 2.5]


def test_time_without_anybody_is_no_panel():
    pytest.importorskip("matplotlib")
    figure = timeline(0, None).plot()
    assert [axes.get_title() for axes in figure.axes] == ["face 0"]


def test_without_a_face():
    pytest.importorskip("matplotlib")
    assert timeline(None).plot().axes[0].get_title() == "no face"


def test_not_written(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("no/out.png", "out.nonsense"):
        with pytest.raises(EmoCLIPError, match="can't be written"):
            timeline(0).plot(tmp_path / name)


def test_matplotlib_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"emoclip_sdk\[plot\]"):
        timeline(0).plot()
