"""What the recipe `mini` draws from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.mini.voted_pictures import VotedPictures

COUNTS = np.array([400, 200, 100, 50, 25, 20, 5, 0])  # nobody shows contempt


def _texts(texts: list[str]) -> torch.Tensor:
    return torch.randn(len(texts), 16)


def _pictures() -> Pictures:
    votes = np.eye(8, dtype=np.float32)[np.repeat(np.arange(8), COUNTS)]
    return Pictures(np.zeros((len(votes), 4, 4), np.uint8), votes, FERPLUS_CLASSES)


@pytest.mark.parametrize("prior", [0.0, 0.5, 1.0])
def test_captions_are_drawn_by_the_prior(prior: float) -> None:
    torch.manual_seed(0)
    data = VotedPictures(_pictures(), _texts, pool=4, words=0.3, prior=prior, seed=0)
    rows = torch.arange(len(data))
    drawn, fits = data.captions(rows, 20, 0.0)
    assert drawn.shape == (16_000, 16) and fits.shape == (800, 16_000)
    # A picture with all votes for one emotion fits the captions of that emotion, and no others.
    shares = torch.stack([fits[int(COUNTS[:c].sum())].mean() for c in range(7)]).numpy()
    wanted = COUNTS[:7] ** prior / (COUNTS[:7] ** prior).sum()
    np.testing.assert_allclose(shares, wanted, atol=0.02)
    assert shares.sum() == pytest.approx(1.0), "an emotion without a vote has no captions"


def test_a_clip_that_hardly_shows_it_counts_as_neutral() -> None:
    torch.manual_seed(0)
    data = VotedPictures(_pictures(), _texts, pool=4, words=0.3, prior=0.0, seed=0)
    happy = torch.tensor([450])
    _, fits = data.captions(happy.repeat(2), 200, 0.0, torch.tensor([1.0, 0.25]))
    assert set(fits[0].unique().tolist()) == {0.0, 1.0}
    assert set(fits[1].unique().tolist()) == {0.0, 0.25, 0.75}
