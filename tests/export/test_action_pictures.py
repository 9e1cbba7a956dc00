"""Pictures of facial actions: the heatmap, and landmarks in annotated videos."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emoclip_sdk.results.actions import ActionRow, FaceActions

NAMES = ("browInnerUp", "jawOpen", "jawLeft", "mouthSmileLeft", "mouthSmileRight", "eyeLookInLeft")


def row(track, i, reason=None, **values):
    known = dict.fromkeys(NAMES, math.nan if reason else 0.0)
    return ActionRow(track, i, i / 7, {**known, **values}, reason)


def test_the_heatmap_has_a_panel_for_each_face_and_a_row_for_each_action_that_occurs():
    pytest.importorskip("matplotlib")
    rows = [
        *(row(0, i, mouthSmileLeft=i / 20, eyeLookInLeft=1.0) for i in range(10)),
        *(row(0, i, "out of view") for i in range(10, 20)),
        *(row(0, i, jawOpen=0.05) for i in range(20, 30)),
        *(row(1, i, browInnerUp=0.7, jawLeft=0.2) for i in range(15, 30)),
    ]
    figure = FaceActions("$clip$.mp4", tuple(rows), duration=5.0).heatmap()
    panels = [axes for axes in figure.axes if axes.get_title(loc="left").startswith("face")]
    names = [[text.get_text() for text in axes.get_yticklabels()] for axes in panels]
    assert names == [["browInnerUp", "jawLeft", "mouthSmile"]] * 2
    # The gap of the first face is no color: two images, before and after it.
    assert [len(axes.images) for axes in panels] == [2, 1]
    smile = panels[0].images[0].get_array().reshape(3, -1)[2]
    np.testing.assert_allclose(smile, np.arange(10) / 40)


def test_nobody_to_draw(tmp_path):
    pytest.importorskip("matplotlib")
    FaceActions("clip.mp4", (row(None, 0, "nobody"),)).heatmap(tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 1000


def test_landmarks_are_drawn_on_the_face(embedded_model, media, tmp_path):
    av = pytest.importorskip("av")
    clip = media / "pyfeat" / "single_face.mp4"
    timeline = embedded_model.timeline(clip, ["happiness", "neutral"], window=1.0)
    pictures = []
    for landmarks in (False, True):
        timeline.annotate(clip, tmp_path / "out.mp4", landmarks=landmarks)
        with av.open(str(tmp_path / "out.mp4")) as file:
            pictures.append(next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int))
    changed = np.abs(pictures[0] - pictures[1]).sum(axis=2) > 60
    x0, y0, x1, y1 = (round(v) for v in timeline.rows[0].box)
    inside = changed[y0 : y1 + 10, x0 - 10 : x1 + 10].sum()
    assert inside > 500 and inside > 0.9 * changed.sum()
