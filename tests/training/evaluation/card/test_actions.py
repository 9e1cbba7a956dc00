"""Descriptions of several facial actions, read by a model of which it is known what it reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from emoclip_sdk.training.evaluation.card.actions import (
    ACTION_SENTENCES,
    DESCRIPTIONS,
    described_actions,
)

NAMES = ("smile", "eyes_closed", "brows_up", "head_up")


def by_chance(pictures: int) -> np.ndarray:
    """Draw which pictures show which action."""
    return np.random.default_rng(0).random((pictures, len(NAMES))) < 0.5


def split(read: Any, shown: np.ndarray) -> Any:
    """Return pictures of which it is known what they show, and a model that reads by `read`."""
    sentences = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))

    def embed_text(texts: list[str]) -> np.ndarray:
        named = [[any(s in text for s in sentences[name]) for name in NAMES] for text in texts]
        assert all(2 <= sum(row) <= 4 for row in named)
        return read(np.array(named, np.float32))

    return SimpleNamespace(
        shown_actions=dict(zip(NAMES, shown.T, strict=True)),
        video=np.where(shown, 1, -1).astype(np.float32),
        model=SimpleNamespace(embed_text=embed_text),
    )


@pytest.mark.parametrize(("read", "area"), [(lambda x: x, 1.0), (lambda x: -x, 0.0)])
def test_all_of_a_description_counts(read: Any, area: float) -> None:
    described = described_actions(split(read, by_chance(400)))
    assert len(described) == DESCRIPTIONS
    assert {found for _, found in described} == {area}


def test_what_hardly_anybody_shows_is_not_asked() -> None:
    assert described_actions(split(lambda x: x, by_chance(8))) == []


def test_what_is_never_seen_together_is_not_asked() -> None:
    one_each = np.eye(len(NAMES), dtype=bool).repeat(100, axis=0)
    assert described_actions(split(lambda x: x, one_each)) == []
