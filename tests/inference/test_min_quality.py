"""Faces that are not seen well enough: frames left out, windows that say why they are empty."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from emoclip_sdk.errors import EmoCLIPError

LABELS = ["joy", "anger"]


@pytest.fixture(scope="module")
def half_dark():
    """Six seconds at 10 fps with detail everywhere; the last three are nearly black."""
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(0, 255, (1, 80, 80, 3), dtype=np.uint8), 60, axis=0)
    frames[30:] //= 64
    return frames


def read(model, frames, **options):
    return model.read(frames, fps=10, faces="none", **options)


def test_rows_say_how_well_a_face_is_seen(tiny_model, half_dark):
    rows = tiny_model.timeline(half_dark, LABELS, fps=10, faces="none", window=1.0).rows
    assert [row.quality.face_size for row in rows] == [80.0] * 6
    assert rows[0].quality.brightness > 0.4 and rows[5].quality.brightness < 0.02
    assert rows[0].quality.score > 0.9 and rows[5].quality.score < 0.2
    assert [row.reason for row in rows] == [None] * 6


def test_a_window_of_low_quality_is_a_gap_that_says_so(tiny_model, half_dark):
    faces = read(tiny_model, half_dark)
    every = tiny_model.timeline(faces, LABELS, window=1.0)
    clear = tiny_model.timeline(faces, LABELS, window=1.0, min_quality=0.5)
    for kept, row in zip(clear.rows[:3], every.rows[:3], strict=True):
        assert kept.start == row.start and kept.reason is None
        # Some processors add up in another order where there are fewer windows.
        assert kept.scores == pytest.approx(row.scores, abs=1e-6), "others stay as they are"
    assert [row.reason for row in clear.rows[3:]] == ["low quality"] * 3
    dark = clear.rows[4]
    assert dark.label is None and not dark.face_found and np.isnan(dark.scores["joy"])
    assert dark.track == 0 and dark.quality == every.rows[4].quality, "it tells why"
    assert clear.to_records()[4]["reason"] == "low quality"
    assert clear.to_dict()["min_quality"] == 0.5
    assert clear.summary()[0].seconds == pytest.approx(3.0)
    assert [row.reason for row in clear.resample(2.0)] == [None, None, "low quality"]
    lines = list(tiny_model.timeline_rows(faces, LABELS, window=1.0, min_quality=0.5))
    assert [row.reason for row in lines] == [row.reason for row in clear.rows]


def test_classify_leaves_frames_out(tiny_model, half_dark):
    first = tiny_model.classify(read(tiny_model, half_dark[:30]), LABELS)
    clear = tiny_model.classify(read(tiny_model, half_dark), LABELS, min_quality=0.5)
    assert clear.scores == pytest.approx(first.scores, abs=1e-6)
    assert clear.n_frames == first.n_frames == 21
    assert clear.quality == first.quality and clear.reason is None


def test_nothing_is_left_to_score(tiny_model, half_dark):
    dark = tiny_model.classify(read(tiny_model, half_dark[30:]), LABELS, min_quality=0.5)
    assert dark.reason == "low quality" and not dark.face_found and dark.label is None
    assert dark.track == 0 and dark.n_frames == 0 and dark.n_tracks == 1
    assert dark.quality.brightness < 0.02
    assert "low quality" in repr(dark) and dark.to_record()["reason"] == "low quality"
    explained = tiny_model.explain(half_dark[30:], LABELS, fps=10, faces="none", min_quality=0.5)
    assert explained.prediction.reason == "low quality" and explained.frames == ()


def test_gaps_tell_who_is_missing(detecting_model, two_faces):
    two_faces = np.concatenate([two_faces[:20], two_faces[30:40], two_faces[:20]])
    rows = detecting_model.timeline(two_faces, LABELS, fps=10, window=0.5, step=0.5).rows
    assert {row.reason for row in rows if row.track is not None} == {None, "out of view"}
    gone = detecting_model.timeline(two_faces[20:30], LABELS, fps=10).rows
    assert [row.reason for row in gone] == ["nobody"]
    assert detecting_model.classify(two_faces[20:30], LABELS, fps=10).reason == "nobody"


def test_all_faces_and_only_one_of_them_is_seen_well(detecting_model, two_faces):
    every = detecting_model.classify(two_faces, LABELS, fps=10, track="all")
    limit = np.mean([prediction.quality.score for prediction in every])
    large, small = detecting_model.classify(
        two_faces, LABELS, fps=10, track="all", min_quality=float(limit)
    )
    best, worst = (large, small) if large.face_found else (small, large)
    assert best.scores == every[best.track].scores
    assert worst.reason == "low quality" and worst.track == 1 - best.track


def test_what_no_quality_can_be_is_refused(tiny_model, half_dark):
    with pytest.raises(EmoCLIPError, match="min_quality must be in"):
        tiny_model.classify(half_dark, LABELS, fps=10, faces="none", min_quality=30)


def test_smoothing_keeps_what_is_known_of_gaps(tiny_model, half_dark):
    timeline = tiny_model.timeline(
        half_dark, LABELS, fps=10, faces="none", window=1.0, min_quality=0.5
    )
    assert [row.reason for row in timeline.smooth(2.0)] == [row.reason for row in timeline]
    assert dataclasses.replace(timeline).status == "ok"
