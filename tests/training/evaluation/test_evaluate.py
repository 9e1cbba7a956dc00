"""Evaluation of clips from end to end, on frame embeddings that are planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.evaluation import (
    blind_scores,
    clip_embeddings,
    evaluate_clips,
    measure_clips,
    zero_shot_scores,
)

CLASSES = ("anger", "happiness", "neutral")


def _clips(stripes, n: int = 6) -> list[Clip]:
    return [
        Clip(f"c{i}", np.roll(stripes(8 + 9 * i), i, axis=2), i % len(CLASSES)) for i in range(n)
    ]


def test_middle_mean_and_temporal_on_planted_frames(tiny_model) -> None:
    """Only the middle frame shows class 1, most frames show class 0, one is not in view."""
    text = np.eye(tiny_model.encoder.width, dtype=np.float32)[:2]
    shown = text[[0, 0, 0, 1, 0, 0, 0]].copy()
    shown = np.insert(shown, 1, np.nan, axis=0)
    none = np.zeros((0, text.shape[1]), np.float32)
    decisions = {}
    for mode in ("middle", "mean", "temporal"):
        video = clip_embeddings(tiny_model, [shown, none], mode)
        assert np.isnan(video[1]).all()
        decisions[mode] = zero_shot_scores(tiny_model, video, text)[0].argmax()
        if mode == "mean":
            np.testing.assert_allclose(video[0], np.nanmean(shown, axis=0), rtol=1e-6)
        if mode == "temporal":
            rows = [0, -1, 1, 2, 3, 4, 5, 6]
            expected = tiny_model.encoder.pool(shown[~np.isnan(shown).any(axis=1)], [rows])
            np.testing.assert_allclose(video[0], expected[0], rtol=1e-5)
    assert decisions["middle"] == 1
    assert decisions["mean"] == 0


def test_measures_what_a_user_gets(tiny_model, stripes, tmp_path: Path) -> None:
    clips = _clips(stripes)
    figures = evaluate_clips(tiny_model, clips, CLASSES, draws=20)
    confusion = np.zeros((3, 3), int)
    for clip in clips:
        # The clip of 53 frames fits into one window of the model, as all of these do.
        found = tiny_model.classify(clip.video, labels=list(CLASSES), faces="none")
        confusion[clip.label, CLASSES.index(found.label)] += 1
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


def test_majority_and_random_are_measured() -> None:
    nothing = np.zeros((1, 2, 2, 3), np.uint8)
    train = [Clip(str(i), nothing, int(i > 2)) for i in range(9)]
    test = [Clip(str(i), nothing, i % 4) for i in range(400)]
    scores = blind_scores("majority", train, len(test), 4)
    found = measure_clips(scores, test, "abcd", draws=10)
    assert (found["war"], found["uar"], found["auc"]) == (0.25, 0.25, 0.5)
    assert found["f1"] == pytest.approx(2 * 0.25 / 1.25 / 4)
    assert found["per_class"]["b"]["recall"] == 1
    found = measure_clips(blind_scores("random", (), len(test), 4, seed=3), test, "abcd", draws=0)
    assert found["war"] == pytest.approx(0.25, abs=0.06)
    assert found["auc"] == pytest.approx(0.5, abs=0.06)
    with pytest.raises(DatasetError, match="training split"):
        blind_scores("majority", test[:0], 3, 4)
