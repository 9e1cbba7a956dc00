"""Generated captions say what the face does, and mostly without naming the emotion."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.captions import ACTIONS, EMOTION_ACTIONS, EMOTION_WORDS, Captioner
from emoclip_sdk.training.ferplus import FERPLUS_CLASSES


def _has_word(text: str) -> bool:
    words = {w for pair in EMOTION_WORDS.values() for part in pair for w in part}
    return any(w in text.lower().replace(".", "").replace(",", "").split() for w in words)


def test_every_class_has_actions_and_words() -> None:
    assert set(EMOTION_ACTIONS) == set(EMOTION_WORDS) == set(FERPLUS_CLASSES)
    assert {a for chances in EMOTION_ACTIONS.values() for a in chances} <= set(ACTIONS)


def test_action_wordings_name_no_emotion() -> None:
    assert not [p for phrases in ACTIONS.values() for p in phrases if _has_word(p)]


def test_share_of_captions_with_a_word() -> None:
    rng = np.random.default_rng(0)
    captions = [Captioner(0.3)(name, rng).text for name in FERPLUS_CLASSES for _ in range(200)]
    assert np.mean([_has_word(text) for text in captions]) == pytest.approx(0.3, abs=0.05)


def test_captions_vary_and_keep_to_their_emotion() -> None:
    rng = np.random.default_rng(0)
    captions = [Captioner(0)("disgust", rng).text for _ in range(200)]
    assert len(set(captions)) > 190
    allowed = [p for a in EMOTION_ACTIONS["disgust"] for p in ACTIONS[a]]
    assert all(any(p in text.lower() for p in allowed) for text in captions)


def test_same_seed_same_captions() -> None:
    first, second = (
        [Captioner()("fear", rng).text for _ in range(20)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert first == second
