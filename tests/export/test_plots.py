from __future__ import annotations

import dataclasses
import sys

import pytest

from emoclip_sdk.errors import EmoCLIPError, MissingDependencyError
from emoclip_sdk.export import plots
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


def test_a_notebook_shows_the_figure():
    pytest.importorskip("matplotlib")
    figure = timeline(0).plot()
    assert figure._repr_png_()[:4] == b"\x89PNG"  # IPython's protocol


def titles(figure):
    return [axes.get_title("left") for axes in figure.axes]


def test_heatmap_leaves_gaps_out(tmp_path):
    pytest.importorskip("matplotlib")
    figure = timeline(0, 1).heatmap(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"
    assert titles(figure)[:2] == ["face 0", "face 1"]
    drawn = [image.get_array().tolist() for image in figure.axes[0].images]
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


def test_titles_name_the_file_not_the_way_to_it(tmp_path):
    pytest.importorskip("matplotlib")
    long = dataclasses.replace(timeline(0), source=str(tmp_path / "clip.mp4"))
    for figure in (long.plot(), long.heatmap()):
        assert figure.get_suptitle() == "Apparent expression in clip.mp4"


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
    monkeypatch.delitem(sys.modules, "emoclip_sdk.export.notebook_figure", raising=False)
    with pytest.raises(MissingDependencyError, match=r"emoclip_sdk\[plot\]"):
        timeline(0).plot()


def test_a_page_of_many_faces_takes_no_picture_of_the_page_for_each(tmp_path, monkeypatch):
    """As a mesh, each panel was a picture of the whole page in a PDF: 6.8 GB for 60 faces."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(plots, "_MAX_FACES", 6)
    figure = timeline(*range(9)).heatmap(tmp_path / "out.pdf")
    panels = [axes for axes in figure.axes if axes.get_title("left")]
    assert len(panels) == 6 and "the 6 of 9 faces seen longest" in figure.get_suptitle()
    assert not any(axes.collections for axes in panels)


def test_windows_of_several_lengths_keep_their_places():
    pytest.importorskip("matplotlib")
    rows = tuple(
        TimelineRow(0, start, end, 7, {"joy": score}, {"joy": score})
        for start, end, score in ((0.0, 1.0, 0.2), (1.0, 2.0, 0.5), (2.0, 2.25, 0.8))
    )
    figure = Timeline("clip.mp4", ("joy",), 1.0, 1.0, rows, duration=2.25).heatmap()
    (image,) = figure.axes[0].images
    left, right, *_ = image.get_extent()
    values = image.get_array()[0]
    at = [values[int(len(values) * (t - left) / (right - left))] for t in (0.5, 1.5, 2.1)]
    assert at == [0.2, 0.5, 0.8]


@pytest.mark.parametrize(
    "label", ["$x_1$", r"a\$b$", "50 $ and more $", "line\nbreak", "bad \udc80"]
)
def test_labels_are_drawn_as_they_are(label):
    pytest.importorskip("matplotlib")
    scores = {label: 1.0}
    row = TimelineRow(0, 0.0, 1.0, 7, scores, scores)
    drawn = Timeline("a$b_c$.mp4", (label,), 1.0, 1.0, (row,))
    for figure in (drawn.plot(), drawn.heatmap()):
        figure.draw_without_rendering()
        from matplotlib.text import Text

        texts = [t for t in figure.findobj(Text) if t.get_text()]
        for text in texts:  # what matplotlib makes of it, before it draws
            content, is_math = text._preprocess_math(text.get_text())
            assert not is_math
            assert "\\$" not in content or "\\" in label
