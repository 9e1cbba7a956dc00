"""One set of options for whatever reads a video; one that can't count is an error."""

from __future__ import annotations

import dataclasses
import inspect
from typing import get_type_hints

import numpy as np
import pytest

from emoclip_sdk import EmoCLIP, EmoCLIPError, ReadOptions, VideoError, compare_models, run_batch
from emoclip_sdk.inference.options import ReadKeywords
from emoclip_sdk.probes.probe import RegressionProbe

LABELS = ["joy", "anger"]


def test_keywords_are_the_fields():
    assert set(get_type_hints(ReadKeywords)) == {f.name for f in dataclasses.fields(ReadOptions)}


READING = ("classify", "classify_batch", "embed", "timeline", "timeline_rows", "explain", "read")


@pytest.mark.parametrize(
    "call",
    [
        *(getattr(EmoCLIP, name) for name in (*READING, "stream", "fit_labels")),
        RegressionProbe.predict,
        compare_models,
        run_batch,
    ],
)
def test_everything_that_reads_takes_them(call):
    parameters = inspect.signature(call).parameters
    assert parameters["reading"].annotation == "Unpack[ReadKeywords]"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(faces="mtcnn"), "faces must be 'detect', 'none' or None"),
        (dict(sampling="random"), "sampling must be"),
        (dict(seed=1), "seed=1 counts with sampling='paper' only"),
        (dict(fps=0), "fps must be a positive number"),
        (dict(timeout=-1), "timeout must be a positive number"),
        (dict(timeout=float("nan")), "timeout must be a positive number"),
        *((dict(min_face=x), "min_face must be a number") for x in (0, -20, 11, "40", True)),
        (dict(min_face=float("nan")), "min_face must be a number of pixels, 12 or more"),
        (dict(min_face=float("inf")), "min_face must be a number of pixels, 12 or more"),
        (dict(min_face=30, faces="none"), "leave one of the two out"),
    ],
)
def test_values_that_no_video_makes_right(tiny_model, wrong, message):
    with pytest.raises(EmoCLIPError, match=message):
        tiny_model.classify(["missing.mp4"], LABELS, **wrong)


def test_what_is_scored_over_time_goes_in_order(tiny_model, stripes):
    for method in (tiny_model.timeline, tiny_model.timeline_rows, tiny_model.stream):
        with pytest.raises(EmoCLIPError, match="takes sampling='deterministic', not 'paper'"):
            method(stripes(9), LABELS, sampling="paper")
    with pytest.raises(EmoCLIPError, match="leave timeout out"):
        tiny_model.stream(stripes(9), LABELS, timeout=1)


def test_beside_what_was_read_none_counts(tiny_model, stripes):
    read = tiny_model.read(stripes(9), faces="none", fps=7)
    for method in (tiny_model.classify, tiny_model.embed, tiny_model.timeline):
        with pytest.raises(EmoCLIPError, match="so fps can't count"):
            method([read], fps=7)
    assert tiny_model.classify(read, LABELS, min_score=0.0).face_found


def test_a_file_has_a_frame_rate_of_its_own(tiny_model, crop_video):
    with pytest.raises(VideoError, match="fps can't count"):
        tiny_model.classify(crop_video, LABELS, faces="none", fps=5)
    (failed,) = tiny_model.timeline([crop_video], LABELS, faces="none", fps=5)
    assert failed.status == "failed" and "fps" in failed.error


@pytest.mark.parametrize("sampling", ["uniform", "paper"])
def test_sampling_reaches_every_method(tiny_model, stripes, sampling):
    options = dict(faces="none", sampling=sampling)
    frames = stripes(130)
    result = tiny_model.classify(frames, LABELS, **options)
    n = tiny_model.config.sampling.n_frames
    assert result.n_frames == n
    explanation = tiny_model.explain(frames, LABELS, **options)
    assert explanation.prediction.scores == result.scores
    assert len(explanation.frames) == n
    changed = tiny_model.embed(frames, faces="none") - tiny_model.embed(frames, **options)
    assert np.abs(changed).max() > 0


def test_the_seed_moves_the_window(tiny_model, stripes):
    frames = stripes(400)
    windows = [
        tiny_model.embed(frames, faces="none", sampling="paper", seed=seed) for seed in (0, 1, 0)
    ]
    assert (windows[0] == windows[2]).all() and (windows[0] != windows[1]).any()


def test_a_part_is_read_on_the_clock_of_the_whole(tiny_model, stripes):
    frames = stripes(84)  # 12 s
    reading = dict(faces="none", fps=7)
    part = dict(start=4.0, end=8.0, **reading)
    inside = frames[28:56]
    score = tiny_model.classify(frames, LABELS, **part)
    assert score.scores == tiny_model.classify(inside, LABELS, **reading).scores
    assert score.scores != tiny_model.classify(frames, LABELS, **reading).scores
    assert (score.tracks[0].start, score.n_frames, score.duration) == (4.0, 28, 8.0)
    timed = tiny_model.classify(frames, LABELS, sampling="uniform", timeout=60, **part)
    assert timed.scores == tiny_model.classify(inside, LABELS, sampling="uniform", **reading).scores
    assert np.array_equal(tiny_model.embed(frames, **part), tiny_model.embed(inside, **reading))

    whole = tiny_model.timeline(frames, LABELS, window=2.0, step=1.0, **reading)
    rows = tiny_model.timeline(frames, LABELS, window=2.0, step=1.0, **part).rows
    assert [(row.start, row.end) for row in rows] == [(4.0, 6.0), (5.0, 7.0), (6.0, 8.0)]
    for row, same in zip(rows, (r for r in whole.rows if r.start in (4, 5, 6)), strict=True):
        assert row.scores == pytest.approx(same.scores, abs=1e-6)
    assert tuple(tiny_model.timeline_rows(frames, LABELS, window=2.0, step=1.0, **part)) == rows
    read = tiny_model.read(frames, **part)
    assert tiny_model.timeline(read, LABELS, window=2.0, step=1.0).rows == rows

    explanation = tiny_model.explain(frames, LABELS, n_pictures=1, **part)
    times = [frame.time for frame in explanation.frames]
    assert times == pytest.approx([4 + i / 7 for i in range(28)], abs=1e-6)

    with pytest.raises(VideoError, match="ends at 12 s, before the start at 20"):
        tiny_model.classify(frames, LABELS, start=20, **reading)
    with pytest.raises(EmoCLIPError, match=r"end=3.0 must be after start=5"):
        tiny_model.classify("missing.mp4", LABELS, start=5, end=3.0)
    with pytest.raises(EmoCLIPError, match="leave start and end out"):
        tiny_model.stream(frames, LABELS, start=1.0)
    with pytest.raises(EmoCLIPError, match="span, 0 to 2 s, is not in the part"):
        tiny_model.timeline(frames, LABELS, baseline=(0, 2), **part)
    with pytest.raises(EmoCLIPError, match="so start can't count"):
        tiny_model.classify(read, LABELS, start=1.0)


def test_actions_of_a_part_keep_the_numbers_of_frames(tiny_model, stripes):
    rows = tiny_model.actions(stripes(30), rate="all", faces="none", fps=10, start=1.0, end=1.3)
    assert [(row.frame, row.time) for row in rows.rows] == [(10, 1.0), (11, 1.1), (12, 1.2)]
    rows = tiny_model.actions_rows(stripes(30), rate=5, faces="none", fps=10, start=1.0, end=1.3)
    assert [(row.frame, row.time) for row in rows] == [(10, 1.0), (12, 1.2)]
