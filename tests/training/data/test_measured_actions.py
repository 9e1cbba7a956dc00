"""Facial actions that landmarks measure, as captions of the pictures that show them."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.faces.head_pose import canonical_face
from emoclip_sdk.nn.blendshapes import BLENDSHAPES
from emoclip_sdk.nn.shape import SHAPE_FEATURES
from emoclip_sdk.prompts.facial_actions import ACTIONS, MEASURED, action_wordings
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.data.measured_actions import (
    CAPTION_ACTIONS,
    FacialActions,
    facial_actions,
)
from emoclip_sdk.training.evaluation.card.actions import ACTION_SENTENCES
from emoclip_sdk.training.heads.actions import HEAD_ACTIONS
from emoclip_sdk.training.mini.voted_pictures import VotedPictures

N = 200


@pytest.fixture(scope="module")
def shapes() -> Tensor:
    """Faces whose jaws open more and more; in every second one the corners go up, too.

    Every fourth head is turned by 40 degrees, to either side in turn. The last picture has no face.
    """
    points, _ = canonical_face()
    landmarks = np.zeros((N, 478, 3))
    for row in range(N):
        angle = np.radians((0, 0, 0, 40 if row % 8 == 3 else -40)[row % 4])
        cos, sin = np.cos(angle), np.sin(angle)
        turned = points @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        landmarks[row, : len(points)] = turned * (1, -1, -1) / 6.3  # y down, z away from the viewer
    features = torch.zeros(N, SHAPE_FEATURES)
    features[:, : 3 * 478] = torch.from_numpy(landmarks.reshape(N, -1)).float()
    scores = features[:, 3 * 478 :]
    scores[:, BLENDSHAPES.index("jawOpen")] = torch.arange(N) / N
    for side in ("Left", "Right"):
        scores[:, BLENDSHAPES.index(f"mouthSmile{side}")] = 0.5 * (torch.arange(N) % 2)
    features[-1] = float("nan")
    return features


def shown(actions: FacialActions, name: str) -> np.ndarray:
    return actions.presence[:, actions.names.index(name)]


def test_the_strongest_show_an_action(shapes: Tensor) -> None:
    actions = facial_actions(shapes)
    assert actions.presence.shape == (N, len(CAPTION_ACTIONS))
    jaw = shown(actions, "mouth_open")
    assert (np.diff(jaw[:-1]) >= 0).all() and jaw[0] < 0.01 and jaw[N - 2] > 0.97
    assert jaw[N * 3 // 4] == pytest.approx(0.5, abs=0.1), "a quarter of all"
    drop = shown(actions, "jaw_drop")
    assert (drop[: int(N * 0.85)] < 0.3).all() and drop[N - 2] > 0.97, "one in eight"
    # No face, no action; and a mouth at rest is neither open nor smiling.
    assert not actions.presence[-1].any()
    rest = shown(actions, "mouth_relaxed")
    assert rest[0] > 0.9 and rest[1] < 0.1 and rest[N - 2] < 0.1
    assert not facial_actions(torch.full((3, SHAPE_FEATURES), float("nan"))).presence.any()


def test_a_head_is_turned_to_either_side(shapes: Tensor) -> None:
    turned = shown(facial_actions(shapes), "head_turned")[:-1]
    at = np.arange(N - 1) % 4 == 3
    assert turned[at].min() > turned[~at].max() + 0.2


def test_strength_is_relative_to_the_pictures_asked_for(shapes: Tensor) -> None:
    jaw = shown(facial_actions(shapes[:40]), "mouth_open")
    assert jaw[39] > 0.9 and shown(facial_actions(shapes), "mouth_open")[39] < 0.01


def test_every_action_has_wordings_of_its_own() -> None:
    assert set(MEASURED) <= set(ACTIONS)
    words = {name: action_wordings()[name] for name in CAPTION_ACTIONS}
    assert all(len(lines) >= 4 for lines in words.values())
    lines = [line.lower() for group in words.values() for line in group]
    assert len(lines) == len(set(lines)), "no wording means two actions"


def test_words_to_measure_on_are_in_no_caption() -> None:
    """Else the card's figure for other words would be one for words that were trained on."""
    other = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))
    trained = {
        re.sub(r"\W+", " ", t.lower()) for group in action_wordings().values() for t in group
    }
    for name, lines in other.items():
        assert name in {*CAPTION_ACTIONS, *HEAD_ACTIONS}
        for line in lines:
            assert re.sub(r"\W+", " ", line.lower()) not in trained


def test_a_caption_fits_the_pictures_that_show_what_it_says(shapes: Tensor) -> None:
    votes = np.zeros((N, 8), np.float32)
    votes[:, :2] = np.eye(2)[(np.arange(N) >= 10).astype(int)]  # ten neutral faces, jaws shut
    actions, names = facial_actions(shapes), list(CAPTION_ACTIONS)
    phrases = {text.lower(): name for name in names for text in action_wordings()[name]}

    def encode(texts: list[str]) -> Tensor:
        """Say of each text which action it is about: by the longest wording that is in it."""
        rows = torch.full((len(texts), len(names)), 1e-6)
        for row, text in zip(rows, texts, strict=True):
            inside = [phrase for phrase in phrases if phrase in text.lower()]
            if inside:
                row[names.index(phrases[max(inside, key=len)])] = 1
        return rows

    def data(measured: FacialActions | None) -> VotedPictures:
        return VotedPictures(
            Pictures(np.zeros((N, 8, 8), np.uint8), votes, FERPLUS_CLASSES), encode,
            pool=4, words=1.0, prior=0.5, seed=0, actions=measured, sentences=600,
        )  # fmt: skip

    rows = torch.arange(N)
    torch.manual_seed(0)
    drawn, fits = data(actions).action_captions(rows, noise=0.0)
    assert drawn.shape == (N, len(names)) and fits.shape == (N, N)
    said = drawn.argmax(dim=1) == names.index("mouth_open")
    assert said.any()
    assert (fits[N - 20 : N - 1, said] > 0.5).all() and (fits[: N // 2, said] < 0.1).all()
    # Where the expression is half there, so is what the caption says; the rest is a face at rest.
    torch.manual_seed(0)
    _, half = data(actions).action_captions(rows, noise=0.0, expressed=torch.full((N,), 0.5))
    torch.testing.assert_close(half[:, said], fits[:, said] / 2, atol=0.01, rtol=0)

    # Without a face at rest among the pictures (a class left out) captions fit as before.
    votes[:] = np.eye(8)[1]
    torch.manual_seed(0)
    _, alone = data(actions).action_captions(rows, noise=0.0, expressed=torch.ones(N))
    torch.testing.assert_close(alone, fits)

    assert data(None).action_captions(rows, noise=0.0) is None
    with pytest.raises(DatasetError, match="no landmarks were found in the training pictures"):
        data(facial_actions(torch.full((N, SHAPE_FEATURES), float("nan"))))
