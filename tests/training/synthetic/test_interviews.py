"""A generated study: what it plants is what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness.manifest import BEST_FILE, read_study
from emoclip_sdk.training.ness.scales import shipped_scales
from emoclip_sdk.training.synthetic.interviews import (
    draw_interview,
    interview_vectors,
    make_interviews,
    plan_interviews,
)
from emoclip_sdk.video import open_video


def test_study_reads_and_repeats(tmp_path: Path) -> None:
    best = make_interviews(tmp_path / "a", patients=10, interviews=14, minutes=(0.5, 1), width=20)
    make_interviews(tmp_path / "b", patients=10, interviews=14, minutes=(0.5, 1), width=20)
    assert json.loads((tmp_path / "a" / BEST_FILE).read_text()) == best
    for name, scale in shipped_scales().items():
        study, again = (read_study(tmp_path / x, scale) for x in "ab")
        assert len(study.interviews) == 14 and len(set(study.patients)) == 10, name
        np.testing.assert_array_equal(study.ratings, again.ratings)
    files = [np.load(tmp_path / x / "interviews" / "p003_1.npz")["vectors"] for x in "ab"]
    np.testing.assert_array_equal(*files)
    assert files[0].shape[1] == 20 and 6 <= len(files[0]) <= 14  # 4.6 s a clip
    with pytest.raises(DatasetError, match="is not an empty folder"):
        make_interviews(tmp_path / "a")
    with pytest.raises(DatasetError, match="needs at least 3 patients"):
        make_interviews(tmp_path / "c", patients=5, interviews=4)


def test_best_possible_is_what_many_ratings_of_the_same_motion_tell() -> None:
    """The expectation by the motion: no function of the motion correlates higher."""
    planned = plan_interviews(300, 900, minutes=(1, 2), missing=0)
    motion = np.array([one.motion.mean() for one in planned])
    for name in ("n1_blunted_affect", "total_negative", "exp_total"):
        ratings = np.array([one.ratings[name] for one in planned])
        expected = np.array([one.expected[name] for one in planned])
        assert np.abs(ratings.mean() - expected.mean()) < 0.15 * ratings.std()
        best = np.corrcoef(ratings, expected)[0, 1]
        fits = [np.polyval(np.polyfit(motion, ratings, k), motion) for k in (1, 3, 5)]
        others = [np.corrcoef(ratings, fit)[0, 1] for fit in fits]
        assert max(others) < best + 0.01
        assert max(others) > best - 0.02  # it is reached, too


def test_mean_of_clips_hides_the_side(tmp_path: Path) -> None:
    one = plan_interviews(5, 5, minutes=(20, 20))[0]
    vectors = interview_vectors(one, 64)
    assert vectors.shape == (len(one.motion), 64)
    far = one.motion > np.quantile(one.motion, 0.8)
    # Clips of much motion are spread about their mean, on both sides of it.
    spread = np.linalg.svd(vectors[far] - vectors[far].mean(axis=0))[1]
    still = one.motion < np.quantile(one.motion, 0.2)
    assert spread[0] > np.linalg.svd(vectors[still] - vectors[still].mean(axis=0))[1][0]


def test_drawn_faces_move_as_planned(tmp_path: Path) -> None:
    planned = plan_interviews(8, 8, minutes=(0.08, 0.08), seed=2)
    amounts, moved = [], []
    for one in sorted(planned, key=lambda one: one.motion.mean())[:: len(planned) - 1]:
        name = draw_interview(one, tmp_path, size=48)
        frames = np.stack([f.rgb for f in open_video(tmp_path / name).frames()]).astype(float)
        assert len(frames) == round(len(one.motion) * 32 / 7 * 25)
        amounts.append(one.motion.mean())
        moved.append(frames.std(axis=0).mean())
    assert amounts[0] < amounts[1] and moved[0] < moved[1]
