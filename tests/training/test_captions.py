"""Generated captions say what the face does, and mostly without naming the emotion."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

import emoclip_sdk.training
from emoclip_sdk.training.captions import ACTIONS, EMOTION_ACTIONS, EMOTION_WORDS, Captioner
from emoclip_sdk.training.ferplus import FERPLUS_CLASSES

WORDS = {w for pair in EMOTION_WORDS.values() for part in pair for w in part}
PATTERN = re.compile(rf"\b({'|'.join(map(re.escape, WORDS))})\b", re.IGNORECASE)
SYNONYMS = Path(emoclip_sdk.training.__file__).with_name("synonyms.yaml")


def _has_word(text: str) -> bool:
    return PATTERN.search(text.lower().replace("smiling mouth", "")) is not None


def _stem(word: str) -> str:
    return word[:5]


def test_every_class_has_actions_and_words() -> None:
    assert set(EMOTION_ACTIONS) == set(EMOTION_WORDS) == set(FERPLUS_CLASSES)
    assert {a for chances in EMOTION_ACTIONS.values() for a in chances} <= set(ACTIONS)


def test_action_wordings_name_no_emotion() -> None:
    named = {m for phrases in ACTIONS.values() for p in phrases for m in PATTERN.findall(p)}
    assert named == {"smiling", "composed"}  # as much looks of a face as names of a feeling


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


def test_synonyms_to_measure_on_share_no_stem_with_the_captions() -> None:
    synonyms = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    asked = [word for words in synonyms.values() for word in words]
    assert tuple(synonyms) == FERPLUS_CLASSES
    assert len(asked) == len(set(asked)) == 120
    rng = np.random.default_rng(0)
    captions = " ".join(Captioner(1.0)(name, rng).text for name in FERPLUS_CLASSES * 200)
    seen = {_stem(w) for w in re.findall(r"[a-z]{4,}", captions.lower())}
    known = {_stem(w) for word in WORDS for w in re.findall(r"[a-z]{4,}", word)}
    said = {w for word in asked for w in re.findall(r"[a-z]{4,}", word)}
    assert not {w for w in said if _stem(w) in seen | known}
