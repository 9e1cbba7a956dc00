"""Captions from the states of the prompt bank, each with the classes that it is likely to be given.

The bank describes several hundred states beside the classes that anybody voted for.
``state_votes.yaml`` says what annotators who know these classes only would make of each.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ...assets import package_file
from ...prompts import PromptBank

__all__ = [
    "STATE_VOTES",
    "StateCaptions",
    "behaviors",
    "held_out_states",
    "state_captions",
    "state_texts",
    "state_votes",
]

STATE_VOTES = package_file(__package__, "state_votes.yaml")
BEHAVIORS = package_file(__package__, "behaviors.yaml")
_EVERY = 5  # one state of so many is held out


@dataclass(frozen=True)
class StateCaptions:
    """T captions.

    Attributes
    ----------
    texts : tuple of str
    votes : ndarray, (T, C)
        The share of annotators that would choose each class.
    weights : ndarray, (T,)
        How often each is drawn: states alike, half of a state's captions describe it.
    """

    texts: tuple[str, ...]
    votes: NDArray[np.float32]
    weights: NDArray[np.float32]


def state_votes() -> dict[str, dict[str, int]]:
    """Return for each state how many of ten annotators would likely choose each class."""
    return dict(_read()["votes"])


def held_out_states() -> tuple[str, ...]:
    """Return the states that no caption for training is about, every fifth: to be measured on."""
    return tuple(sorted(_read()["votes"])[::_EVERY])


def behaviors() -> dict[str, tuple[str, ...]]:
    """Return states that are done with the face, and the actions by which they are seen."""
    known = yaml.safe_load(BEHAVIORS.read_text(encoding="utf-8"))
    return {name: tuple(actions) for name, actions in known.items()}


def state_captions(classes: Sequence[str]) -> StateCaptions:
    """Return descriptions and names of the states whose votes are all for `classes`.

    Votes say nothing of behaviors, which are left out.
    """
    left_out = {*held_out_states(), *behaviors()}
    texts: list[str] = []
    votes: list[list[float]] = []
    weights: list[float] = []
    for name, given in state_votes().items():
        if name in left_out or not set(given) <= set(classes):
            continue
        share = [given.get(label, 0) / sum(given.values()) for label in classes]
        for kind in state_texts(name):
            if not kind:
                continue
            texts += kind
            votes += [share] * len(kind)
            weights += [1 / len(kind)] * len(kind)
    return StateCaptions(tuple(texts), np.array(votes, np.float32), np.array(weights, np.float32))


def state_texts(name: str) -> tuple[list[str], list[str]]:
    """Return what captions may say of a state: its descriptions, and its names in templates."""
    bank, unsaid = PromptBank.default(), set(_read()["unsaid"])
    words = [word for word in (name, *bank.aliases(name)) if word not in unsaid]
    frames = ("{label}", *bank.templates)
    named = [frame.replace("{label}", word) for word in words for frame in frames]
    return list(bank.descriptions(name)), named


@functools.lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(STATE_VOTES.read_text(encoding="utf-8"))
    return data
