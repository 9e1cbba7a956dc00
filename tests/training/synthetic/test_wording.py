"""Captions say what is shown and nothing else, without the names that are to be recognized."""

from __future__ import annotations

import re

import numpy as np
import pytest

from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.prompts.facial_actions import ACTIONS
from emoclip_sdk.training.data.datasets.classes import MAFW_CLASSES
from emoclip_sdk.training.synthetic import wording
from emoclip_sdk.training.synthetic.motion import draw_actions
from emoclip_sdk.training.synthetic.wording import WORDINGS, chinese, describe


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z'-]+", text.lower())


@pytest.mark.parametrize("label", MAFW_CLASSES)
def test_captions_name_shown_actions_only(label: str) -> None:
    rng = np.random.default_rng(0)
    frame = (*wording._OPENINGS, *wording._SUBJECTS, *wording._CONTEXTS)
    glue = {word for text in frame for word in _words(text)} | {"and"}
    seen = set()
    for _ in range(40):
        actions = draw_actions(label, rng)
        text = describe(actions, rng)
        seen.add(text)
        rest = text.lower()
        for phrase in sorted((p for a in actions for p in WORDINGS[a]), key=len, reverse=True):
            rest = rest.replace(phrase, "")
        assert set(_words(rest)) <= glue, (text, actions)
        assert len(_words(rest)) < len(_words(text))
    assert len(seen) > 30


def test_wordings_name_no_class() -> None:
    bank = PromptBank.default()
    names = {word for name in MAFW_CLASSES for word in (name, *bank.aliases(name))}
    text = " ".join(phrase for phrases in WORDINGS.values() for phrase in phrases)
    assert not names & set(_words(text))


def test_added_wordings_are_not_the_banks_sentences() -> None:
    bank = PromptBank.default()

    def runs(text: str) -> set[tuple[str, ...]]:
        words = _words(text)
        return {tuple(words[i : i + 4]) for i in range(len(words) - 3)}

    taken = {run for name in MAFW_CLASSES for d in bank.descriptions(name) for run in runs(d)}
    added = [p for a, phrases in WORDINGS.items() for p in phrases if p not in ACTIONS.get(a, ())]
    assert not [phrase for phrase in added if runs(phrase) & taken]


def test_chinese_column_fits_the_lists_encoding() -> None:
    for action in WORDINGS:
        assert chinese([action]).encode("gbk")
