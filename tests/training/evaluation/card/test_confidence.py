"""Calibration and abstention on scores whose figures are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from emoclip_sdk.config import PromptConfig
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES
from emoclip_sdk.training.evaluation.card import (
    EvaluatedPictures,
)
from emoclip_sdk.training.evaluation.card.confidence import auroc, calibration_error


def test_calibration_error_of_known_scores() -> None:
    # 8 labels, the best one has 0.79 and is right in half of the cases.
    scores = np.full((100, 8), 0.03)
    scores[:, 2] = 0.79
    labels = np.array([2, 5] * 50)
    assert calibration_error(scores, labels) == pytest.approx(0.29, abs=1e-6)
    # Half of the clips at 0.79 and right in 79 of 100, half at 0.51 and right in 51 of 100.
    scores = np.full((200, 8), 0.03)
    scores[:100, 2], scores[100:, 2], scores[100:, 3] = 0.79, 0.51, 0.31
    labels = np.r_[np.where(np.arange(100) < 79, 2, 0), np.where(np.arange(100) < 51, 2, 3)]
    assert calibration_error(scores, labels) == pytest.approx(0, abs=1e-6)


def test_auroc_of_known_confidence() -> None:
    inside = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.4, 0.5, 0.1]), inside) == pytest.approx(0.75)
    assert auroc(np.zeros(4), np.ones(4, bool)) is None


def test_confidence_is_that_of_a_prediction(tiny_model, pictures) -> None:
    tiny_model.config = dataclasses.replace(
        tiny_model.config, prompts=PromptConfig(FERPLUS_CLASSES)
    )
    split = EvaluatedPictures(tiny_model, pictures)
    offered = [1, 3, 4, 7]
    names = [FERPLUS_CLASSES[i] for i in offered]
    clip = np.repeat(pictures.images[5][None, ..., None], 3, axis=3)
    result = tiny_model.classify(clip, labels=names, faces="none", fps=7)
    assert result.confidence == pytest.approx(split.scores[5, offered].max(), abs=1e-5)
