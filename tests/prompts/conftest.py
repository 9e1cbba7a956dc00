"""A text encoder that needs no weights: a text's embedding depends on nothing but the text."""

import hashlib

import numpy as np
import pytest

from emoclip_sdk.prompts import PromptBank


class FakeTextTower:
    """Deterministic (N, 16) vectors of different lengths; remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, texts: list[str]) -> np.ndarray:
        self.calls.append(list(texts))
        return np.stack([self.vector(text) for text in texts])

    @staticmethod
    def vector(text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        rng = np.random.default_rng(seed)
        # Lengths differ, so that a mean taken after normalization would not pass for one before it.
        return (rng.normal(size=16) * rng.uniform(1, 10)).astype(np.float32)


@pytest.fixture
def tower() -> FakeTextTower:
    return FakeTextTower()


@pytest.fixture
def bank() -> PromptBank:
    return PromptBank.default()
