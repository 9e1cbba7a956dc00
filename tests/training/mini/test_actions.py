"""Measured facial actions become captions of the pictures that show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.prompts.facial_actions import ACTIONS, MEASURED, MOVEMENTS
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.mini.actions import (
    FacialActions,
    load_actions,
    picture_keys,
)
from emoclip_sdk.training.mini.voted_pictures import MeasuredPictures

N = 200
NAMES = sorted(
    {part for parts in MOVEMENTS.values() for part in parts}
    | {
        f"{part}{side}"
        for part in ("mouth", "eyeLookIn", "eyeLookOut")
        for side in ("Left", "Right")
    }
)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (N, 8, 8)).astype(np.uint8)


@pytest.fixture
def measured(images: np.ndarray, tmp_path: Path) -> Path:
    """Pictures whose jaw opens more and more; in every second one the corners go up, too."""
    scores = np.zeros((N, len(NAMES)), np.float16)
    scores[:, NAMES.index("jawOpen")] = np.arange(N) / N
    for side in ("Left", "Right"):
        scores[:, NAMES.index(f"mouthSmile{side}")] = 0.5 * (np.arange(N) % 2)
    found = np.ones(N, bool)
    found[-1] = False
    path = tmp_path / "actions.npz"
    order = np.random.default_rng(2).permutation(N)
    keys = np.array(picture_keys(images))
    np.savez(path, pictures=keys[order], scores=scores[order], found=found[order], names=NAMES)
    return path


def shown(actions: FacialActions, name: str) -> np.ndarray:
    return actions.presence[:, actions.names.index(name)]


def test_captions_know_every_action() -> None:
    assert set(MEASURED) <= set(ACTIONS)


def test_the_strongest_quarter_shows_an_action(images: np.ndarray, measured: Path) -> None:
    actions = load_actions(measured, images)
    assert actions.presence.shape == (N, len(MEASURED))
    jaw = shown(actions, "jaw_drop")
    assert (np.diff(jaw[:-1]) >= 0).all() and jaw[0] < 0.01 and jaw[N - 2] > 0.97
    assert jaw[N * 3 // 4] == pytest.approx(0.5, abs=0.1)
    # No face, no action; and a mouth at rest is neither open nor smiling.
    assert not actions.presence[-1].any()
    rest = shown(actions, "mouth_relaxed")
    assert rest[0] > 0.9 and rest[1] < 0.1 and rest[N - 2] < 0.1


def test_strength_is_relative_to_the_pictures_asked_for(images: np.ndarray, measured: Path) -> None:
    jaw = shown(load_actions(measured, images[:40]), "jaw_drop")
    assert jaw[39] > 0.9 and shown(load_actions(measured, images), "jaw_drop")[39] < 0.01


def test_what_cannot_be_used_is_named(images: np.ndarray, measured: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="1 of 2 pictures were not measured"):
        load_actions(measured, np.stack([images[0], 255 - images[0]]))
    with pytest.raises(DatasetError, match="no such file"):
        load_actions(tmp_path / "none.npz", images)
    (tmp_path / "half.npz").write_bytes(measured.read_bytes()[:500])
    with np.load(measured) as file:
        np.savez(tmp_path / "few.npz", **{**file, "names": file["names"][1:]})
    with pytest.raises(DatasetError, match="few.npz: not a file of measured actions"):
        load_actions(tmp_path / "few.npz", images)
    with pytest.raises(DatasetError, match="half.npz: not a file of measured actions"):
        load_actions(tmp_path / "half.npz", images)


def test_a_caption_fits_the_pictures_that_show_all_it_says(
    images: np.ndarray, measured: Path
) -> None:
    votes = np.zeros((N, 8), np.float32)
    votes[:, 1] = 1

    def encode(texts: list[str]) -> torch.Tensor:
        """Say of each text which actions' wordings are in it."""
        spoken = [[any(w in t.lower() for w in ACTIONS[a]) for a in MEASURED] for t in texts]
        return torch.cat([torch.tensor(spoken).float(), torch.full((len(texts), 1), 1e-3)], dim=1)

    data = MeasuredPictures(
        Pictures(images, votes, FERPLUS_CLASSES),
        encode,
        pool=4,
        words=1.0,
        prior=0.5,
        seed=0,
        actions=load_actions(measured, images),
        share=0.5,
        sentences=300,
    )
    torch.manual_seed(0)
    rows = torch.arange(N)
    drawn, fits = data.captions(rows, 4, noise=0.0)
    assert drawn.shape == (4 * N, len(MEASURED) + 1) and fits.shape == (N, 4 * N)
    said = drawn[:, list(MEASURED).index("jaw_drop")] > 0
    alone = said & ((drawn[:, :-1] > 0).sum(dim=1) == 1)
    alone[: 2 * N] = False  # these are the captions of the votes
    assert alone.any()
    assert (fits[N - 20 : N - 1, alone] > 0.5).all() and (fits[: N // 2, alone] < 0.1).all()
    # Where the expression is half there, so is what the caption says.
    torch.manual_seed(0)
    _, half = data.captions(rows, 4, noise=0.0, expressed=torch.full((N,), 0.5))
    assert torch.allclose(half[:, 2 * N :], fits[:, 2 * N :] / 2)
