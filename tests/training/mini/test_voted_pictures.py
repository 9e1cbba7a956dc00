"""What the recipe `mini` draws from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.data.states import state_captions
from emoclip_sdk.training.mini.heads import PosedHeads, TalkingHeads
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


def test_captions_about_states_fit_as_far_as_the_votes_agree() -> None:
    torch.manual_seed(0)
    options = {"pool": 4, "words": 0.3, "prior": 0.0, "seed": 0}
    data = VotedPictures(_pictures(), _texts, states=1.0, **options)
    happy = torch.tensor([450])
    _, fits = data.captions(happy, 2000, 0.0)
    # Ten annotators: every fit is a tenth of them, and most states are for several classes.
    tenths = fits[0] * 10
    assert torch.allclose(tenths, tenths.round(), atol=1e-5) and tenths.unique().numel() > 5
    known = state_captions(FERPLUS_CLASSES[:-1])
    share = known.votes[:, FERPLUS_CLASSES.index("happiness")]

    def drawn(what: np.ndarray) -> float:
        """Return the mean over captions, each class's by its votes."""
        chances = known.votes[:, :7].T * known.weights
        return float(np.mean(chances @ what / chances.sum(axis=1)))

    assert fits.mean().item() == pytest.approx(drawn(share), abs=0.03)
    sure = fits > 0.85  # captions of happy states alone
    assert sure.float().mean().item() == pytest.approx(drawn(share > 0.85), abs=0.03)


@pytest.mark.parametrize("apex, least", [(4, 0.9), (16, 0.0)])
def test_an_expression_counts_in_full_if_it_lasts_long_enough(apex: int, least: float) -> None:
    torch.manual_seed(0)
    data = VotedPictures(_pictures(), _texts, pool=4, words=0.3, prior=0.0, seed=0)
    frames = torch.zeros(len(data), 1, 2)
    frames[:, 0, 0] = 1  # at rest
    frames[450] = torch.tensor([[0.0, 1.0]])
    rows, length = torch.full((4000,), 450), torch.full((4000,), 16)
    drawn = data.sequences(frames, rows, length, 1.0, apex)
    shown = drawn.clips[..., 1]  # how strong the expression is in each frame
    top = shown.sort(dim=1, descending=True).values[:, : max(4, apex)].mean(dim=1)
    torch.testing.assert_close(drawn.expressed, top, atol=1e-5, rtol=0)
    whole = (shown > 0.999).sum(dim=1) >= apex
    assert whole.any() == (least > 0) and bool((drawn.expressed[whole] > 0.999).all())


def test_posed_heads_are_drawn_as_often_as_asked_for() -> None:
    torch.manual_seed(0)
    emotions = ("happiness", "fear", "contempt", "neutral", "fear", "sadness")
    posed = PosedHeads(
        np.ones((600, 4, 4), np.uint8),
        torch.ones(600, 3).half(),
        emotions * 100,
        np.tile(np.array([1, 1, 1, 1, 0.5, 0], np.float32), 100),
    )
    voted = [name for name, count in zip(FERPLUS_CLASSES, COUNTS, strict=True) if count]
    assert len(posed.of(voted)) == 500 and len(posed.of(["fear"]).shapes) == 200
    options = {"pool": 4, "words": 0.3, "prior": 1.0, "seed": 0}
    data = VotedPictures(_pictures(), _texts, posed=posed.of(voted), share=0.2, **options)
    assert len(data) == 1300 and data.posed == 500
    for power in (0.0, 0.5):
        weights = data.weights(power)
        assert weights[-500:].sum() / weights.sum() == pytest.approx(0.2)
    # They say nothing of how common an emotion is: captions are drawn as without them.
    _, fits = data.captions(torch.arange(800, 805), 4000, 0.0)
    assert fits[0].mean() == pytest.approx(200 / 800, abs=0.02), "happiness, in full"
    assert fits[2].mean() == pytest.approx(400 / 800, abs=0.02), "neutral"
    assert fits[3].max() == pytest.approx(0.75), "a fear half posed is three quarters of one"
    assert fits[4].max() == pytest.approx(0.5), "sadness at its faintest; the rest is neutral"


def test_heads_that_talk_have_captions_and_are_no_pictures() -> None:
    torch.manual_seed(0)
    talking = TalkingHeads(
        np.ones((2, 5, 4, 4), np.uint8),
        torch.ones(2, 5, 3).half(),
        ("neutral", "fear"),
        np.array([1, 0.6], np.float32),
    )
    options = {"pool": 4, "words": 0.3, "prior": 1.0, "seed": 0}
    data = VotedPictures(_pictures(), _texts, talking=talking, **options)
    assert len(data) == len(data.weights(0.5)) == len(data.all_pictures()) == 800
    _, fits = data.captions(torch.tensor([800, 801]), 4000, 0.0)
    assert set(fits[0].unique().tolist()) == {0.0, 1.0} and fits[0].mean() > 0.4, "neutral"
    assert fits[1].max() == pytest.approx(0.8), "a fear posed to 0.6"
