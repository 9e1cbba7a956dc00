"""The validation split: who is in it, and that it stays the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import Clip, ClipDataset, with_validation

VIDEO = np.zeros((1, 2, 2, 3), np.uint8)


def _dataset(clips: list[Clip], **splits) -> ClipDataset:
    return ClipDataset("some", ("a", "b", "c"), {"train": tuple(clips), "test": (), **splits})


def _ids(data: ClipDataset, split: str = "valid") -> set[str]:
    return {clip.id for clip in data.splits[split]}


def test_by_class_without_subjects() -> None:
    labels = [0] * 100 + [1] * 30 + [2] * 3
    clips = [Clip(str(i), VIDEO, label) for i, label in enumerate(labels)]
    data = with_validation(_dataset(clips), 0.1, seed=3)
    # The rare class is represented, too.
    assert Counter(c.label for c in data.splits["valid"]) == {0: 10, 1: 3, 2: 1}
    assert _ids(data) | _ids(data, "train") == {c.id for c in clips}
    backwards = with_validation(_dataset(clips[::-1]), 0.1, seed=3)
    assert _ids(backwards) == _ids(data)
    assert _ids(with_validation(_dataset(clips), 0.1, seed=4)) != _ids(data)


def test_no_subject_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    clips = [
        Clip(f"{s}-{i}", VIDEO, int(rng.integers(3)), subject=f"s{s}")
        for s in range(20)
        for i in range(int(rng.integers(3, 12)))
    ]
    data = with_validation(_dataset(clips), 0.2, seed=0)
    valid, train = data.splits["valid"], data.splits["train"]
    assert not {c.subject for c in valid} & {c.subject for c in train}
    for label in range(3):
        share = sum(c.label == label for c in valid) / sum(c.label == label for c in clips)
        assert 0.1 < share < 0.35
    assert _ids(with_validation(_dataset(clips[::-1]), 0.2, seed=0)) == _ids(data)


def test_few_subjects() -> None:
    clips = [Clip(f"{s}-{i}", VIDEO, i % 3, subject=f"s{s}") for s in range(3) for i in range(9)]
    data = with_validation(_dataset(clips), 0.05, seed=0)
    assert len({c.subject for c in data.splits["valid"]}) == 1
    with pytest.raises(DatasetError, match="9 training clips of 1 subjects"):
        with_validation(_dataset(clips[:9]), 0.2, seed=0)


def test_a_given_split_is_kept() -> None:
    data = _dataset([Clip("a", VIDEO, 0)], valid=(Clip("b", VIDEO, 0),))
    assert with_validation(data, 0.5, seed=0) is data
