"""Three ways from frames to a clip."""

from __future__ import annotations

import numpy as np

from emoclip_sdk.training.evaluation import (
    clip_embeddings,
    zero_shot_scores,
)
from emoclip_sdk.video import paper


def test_middle_mean_and_temporal_on_planted_frames(tiny_model) -> None:
    """Only the middle frame shows class 1, most frames show class 0, one is not in view."""
    text = np.eye(tiny_model.encoder.width, dtype=np.float32)[:2]
    visible = text[[0, 0, 0, 1, 0, 0, 0]].copy()
    visible = np.insert(visible, 1, np.nan, axis=0)
    none = np.zeros((0, text.shape[1]), np.float32)
    decisions = {}
    for mode in ("middle", "mean", "temporal"):
        video = clip_embeddings(tiny_model, [visible, none], mode)
        assert np.isnan(video[1]).all()
        decisions[mode] = zero_shot_scores(tiny_model, video, text)[0].argmax()
        if mode == "mean":
            np.testing.assert_allclose(video[0], np.nanmean(visible, axis=0), rtol=1e-6)
        if mode == "temporal":
            rows = [0, -1, 1, 2, 3, 4, 5, 6]
            expected = tiny_model.encoder.pool(visible[~np.isnan(visible).any(axis=1)], [rows])
            np.testing.assert_allclose(video[0], expected[0], rtol=1e-5)
    assert decisions["middle"] == 1
    assert decisions["mean"] == 0


def test_one_random_window_as_the_reference_evaluates(tiny_model) -> None:
    rng = np.random.default_rng(0)
    n = tiny_model.config.sampling.n_frames
    frames = [rng.standard_normal((k, tiny_model.encoder.width)).astype(np.float32)
              for k in (n + 5, 3)]  # fmt: skip
    frames[1][1] = np.nan  # the face is not in view
    frames.append(frames[0][:0])
    pooled = clip_embeddings(tiny_model, frames, "window")
    for row, seen in enumerate((frames[0], frames[1][[0, 2]])):
        window = seen[paper(len(seen), n, 1, np.random.default_rng(row))]
        expected = tiny_model.encoder.pool(window, [range(n)])[0]
        np.testing.assert_allclose(pooled[row], expected, atol=1e-5)
    assert np.isnan(pooled[2]).all()
    assert not np.allclose(pooled[0], clip_embeddings(tiny_model, frames)[0], atol=1e-3)
