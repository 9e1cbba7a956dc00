"""A linear classifier on small pictures learns from the stand-ins, people held out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emoclip_sdk.training.data.datasets.classes import MAFW_CLASSES
from emoclip_sdk.training.synthetic.clips import (
    PlannedClip,
    SyntheticOptions,
    plan_clips,
    plan_turns,
)
from emoclip_sdk.training.synthetic.face import draw_faces
from emoclip_sdk.training.synthetic.subject import Subject

pytest.importorskip("sklearn")

SUBJECTS = 20
OPTIONS = SyntheticOptions(20, (16, 16), SUBJECTS, 0, 0.5, 0, 0, False)
PEOPLE = [Subject.draw(np.random.default_rng([0, i])) for i in range(SUBJECTS)]


def _gray(clip: PlannedClip, *rows: int | str) -> list[np.ndarray]:
    motion, scene = clip.motion()
    chosen = [motion.apex if row == "apex" else row for row in rows]
    pictures = draw_faces(motion.units[chosen], PEOPLE[clip.subject], scene, 48)
    if clip.backwards:
        pictures = pictures[::-1]
    return [cv2.resize(p, (24, 24), interpolation=cv2.INTER_AREA).mean(2).ravel() for p in pictures]


def _recall(features: np.ndarray, clips: list[PlannedClip]) -> float:
    from sklearn.linear_model import RidgeClassifier
    from sklearn.metrics import balanced_accuracy_score

    labels = np.array([clip.label for clip in clips])
    test = np.array([clip.fold == 5 for clip in clips])
    model = RidgeClassifier(1e5).fit(features[~test], labels[~test])
    return float(balanced_accuracy_score(labels[test], model.predict(features[test])))


def test_eleven_classes_from_the_change_of_the_face() -> None:
    clips = plan_clips(MAFW_CLASSES, OPTIONS)
    change = np.array([apex - first for first, apex in (_gray(c, 0, "apex") for c in clips)])
    assert _recall(change, clips) > 3 / 11


def test_order_needs_order() -> None:
    clips = plan_turns(OPTIONS)
    frames = np.array([_gray(clip, 0, 5, 10, 15) for clip in clips])
    assert _recall(frames.mean(axis=1), clips) == pytest.approx(0.5)
    assert _recall(frames[:, -1] - frames[:, 0], clips) > 0.9
