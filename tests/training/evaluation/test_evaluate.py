"""Evaluation of clips from end to end, on frame embeddings that are planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.data.trained_on import Overlap
from emoclip_sdk.training.evaluation import evaluate_clips, measure, measure_clips

CLASSES = ("anger", "happiness", "neutral")


def _clips(stripes, n: int = 6) -> list[Clip]:
    return [
        Clip(f"c{i}", np.roll(stripes(8 + 9 * i), i, axis=2), i % len(CLASSES)) for i in range(n)
    ]


def test_measures_what_a_user_gets(tiny_model, stripes, tmp_path: Path) -> None:
    clips = _clips(stripes)
    figures = evaluate_clips(tiny_model, clips, CLASSES, draws=20)
    confusion = np.zeros((3, 3), int)
    for clip in clips:
        # The clip of 53 frames fits into one window of the model, as all of these do.
        result = tiny_model.classify(clip.video, labels=list(CLASSES), faces="none")
        confusion[clip.label, CLASSES.index(result.label)] += 1
    assert figures["confusion"] == confusion.tolist()
    assert figures["n"] == 6 and figures["unusable"] == []
    assert figures["war"] == pytest.approx(confusion.trace() / 6)
    low, high = figures["intervals"]["war"]
    assert low <= figures["war"] <= high
    # Through a cache, and from it: the same figures.
    for _ in range(2):
        cache = FrameCache(tmp_path / "cache")
        kept = evaluate_clips(tiny_model, clips, CLASSES, draws=0, cache=cache)
        assert kept["confusion"] == figures["confusion"]


def test_a_clip_that_cannot_be_read_is_counted(
    tiny_model, stripes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = _clips(stripes, 3)
    broken = Clip("broken", tmp_path / "gone.mp4", 0)
    unlabeled = Clip("unlabeled", tmp_path / "gone too.mp4")
    figures = evaluate_clips(tiny_model, [broken, *clips, unlabeled], CLASSES, draws=5)
    assert figures["unusable"] == ["broken"]
    assert figures["n"] == 4
    assert figures["per_class"]["anger"]["n"] == 2
    assert np.sum(figures["confusion"]) == 3
    assert "gone.mp4" in caplog.text
    with pytest.raises(DatasetError, match="none of 1 clips can be used"):
        evaluate_clips(tiny_model, [broken], CLASSES)
    with pytest.raises(DatasetError, match="no clip of the split has a label"):
        evaluate_clips(tiny_model, [unlabeled], CLASSES)


def test_figures_without_the_clips_of_training() -> None:
    scores = np.eye(3)[[0, 1, 2, 0, 0, 0]]
    clips = [Clip(str(i), np.zeros((1, 2, 2, 3), np.uint8), i % 3) for i in range(6)]
    training = np.array([True, True, False, False, False, False])
    selection = np.array([False, False, True, False, False, False])
    met = Overlap(training, selection)
    figures = measure_clips(scores, clips, CLASSES, overlap=met, draws=0)
    assert figures["war"] == pytest.approx(4 / 6)
    overlap = figures["overlap"]
    assert (overlap["n"], overlap["selection"]) == (2, 1)
    assert overlap["without"]["war"] == pytest.approx(1 / 3)
    assert overlap["without"] == measure(scores[3:], np.array([0, 1, 2]), CLASSES, draws=0)
    all_of_it = Overlap(np.ones(6, bool), np.zeros(6, bool))
    everything = measure_clips(scores, clips, CLASSES, overlap=all_of_it, draws=0)
    assert everything["overlap"] == {"n": 6, "selection": 0, "without": None}
    assert measure_clips(scores, clips, CLASSES, draws=0)["overlap"] is None
