"""Clips made of pictures: when the expression is seen, and that a seed repeats them."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.ferplus import Pictures
from emoclip_sdk.training.evaluation.sequences import picture_sequences


def test_a_quarter_of_the_frames_is_expressive(pictures: Pictures) -> None:
    made = picture_sequences(pictures, 40, seed=3)
    assert made.crops.shape == (40 * 16, 32, 32, 3)
    bright = made.crops.reshape(40, 16, -1).mean(axis=2) > 130
    neutral = made.labels == 0
    assert 0 < neutral.sum() < 40
    assert not bright[neutral].any()
    assert (bright.sum(axis=1)[~neutral] == 4).all()
    assert (bright == made.expressive).all()
    for row in made.expressive[~neutral]:
        assert np.ptp(np.flatnonzero(row)) == 3  # in a row
    starts = made.expressive[~neutral].argmax(axis=1)
    assert len(set(starts.tolist())) > 4


def test_clips_are_the_same_with_the_same_seed(pictures: Pictures) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, pictures.images.shape, dtype=np.uint8)
    varied = Pictures(noise, pictures.votes, pictures.classes)
    first, again = (picture_sequences(varied, 9, seed=1) for _ in range(2))
    assert np.array_equal(first.crops, again.crops)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.crops, picture_sequences(varied, 9, seed=2).crops)
    assert len(np.unique(first.crops.reshape(9 * 16, -1), axis=0)) == 9 * 16  # views, no copies
    excited = pictures.votes.copy()
    excited[:, 0] = np.minimum(excited[:, 0], 0.6)
    with pytest.raises(DatasetError, match="no picture has more than 70% of its votes"):
        picture_sequences(Pictures(noise, excited, pictures.classes), 9)
