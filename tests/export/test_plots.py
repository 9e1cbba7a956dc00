from __future__ import annotations

import sys

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

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
    assert titles(figure) == ["face 0", "face 1"]
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [0.5, 1.5, 2.5]


def titles(figure):
    return [axes.get_title("left") for axes in figure.axes]


def test_heatmap_leaves_gaps_out(tmp_path):
    pytest.importorskip("matplotlib")
    figure = timeline(0, 1).heatmap(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"
    assert titles(figure)[:2] == ["face 0", "face 1"]
    drawn = [mesh.get_array().tolist() for mesh in figure.axes[0].collections]
    assert drawn == [[[0.7]], [[0.4]]]


@pytest.mark.parametrize("n", [1, 8, 40])
def test_names_of_labels_do_not_overlap(n):
    pytest.importorskip("matplotlib")
    labels = tuple(f"quite a long name of a label, number {i}" for i in range(n))
    scores = dict.fromkeys(labels, 1 / n)
    row = TimelineRow(0, 0.0, 1.0, 7, scores, scores)
    narrow = Timeline("$clip_1$.mp4", labels, 1.0, 1.0, (row,))
    for figure in (narrow.plot(), narrow.heatmap()):
        figure.draw_without_rendering()
        (legend,) = figure.legends or [None]
        names = legend.get_texts() if legend else figure.axes[0].get_yticklabels()
        boxes = [name.get_window_extent() for name in names]
        assert len(boxes) == (min(n, 8) + (n > 8) if legend else n)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert all(figure.bbox.contains(x, y) for b in boxes for x, y in (b.min, b.max))


def test_time_without_anybody_is_no_panel():
    pytest.importorskip("matplotlib")
    figure = timeline(0, None).plot()
    assert titles(figure) == ["face 0"]


def test_without_a_face():
    pytest.importorskip("matplotlib")
    assert titles(timeline(None).plot()) == ["no face"]
    assert titles(timeline(None).heatmap()) == ["no face"]


def test_not_written(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("no/out.png", "out.nonsense"):
        with pytest.raises(EmoCLIPError, match="can't be written"):
            timeline(0).plot(tmp_path / name)
        with pytest.raises(EmoCLIPError, match="can't be written"):
            timeline(0).heatmap(tmp_path / name)


def test_matplotlib_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"emoclip_sdk\[plot\]"):
        timeline(0).plot()
