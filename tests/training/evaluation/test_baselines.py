"""Baselines that see no video."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.evaluation import (
    blind_scores,
    measure_clips,
)


def test_majority_and_random_are_measured() -> None:
    nothing = np.zeros((1, 2, 2, 3), np.uint8)
    train = [Clip(str(i), nothing, int(i > 2)) for i in range(9)]
    test = [Clip(str(i), nothing, i % 4) for i in range(400)]
    scores = blind_scores("majority", train, len(test), 4)
    result = measure_clips(scores, test, "abcd", draws=10)
    assert (result["war"], result["uar"], result["auc"]) == (0.25, 0.25, 0.5)
    assert result["f1"] == pytest.approx(2 * 0.25 / 1.25 / 4)
    assert result["per_class"]["b"]["recall"] == 1
    result = measure_clips(blind_scores("random", (), len(test), 4, seed=3), test, "abcd", draws=0)
    assert result["war"] == pytest.approx(0.25, abs=0.06)
    assert result["auc"] == pytest.approx(0.5, abs=0.06)
    with pytest.raises(DatasetError, match="training split"):
        blind_scores("majority", test[:0], 3, 4)
