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
