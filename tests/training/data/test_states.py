"""Captions from the states of the prompt bank."""

from __future__ import annotations

import numpy as np
import yaml

from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.prompts.files import SHIPPED
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES
from emoclip_sdk.training.data.states import (
    STATE_VOTES,
    behaviors,
    held_out_states,
    state_captions,
    state_texts,
)
from emoclip_sdk.training.evaluation.card.wording import SYNONYMS

from .test_captions import _stems, _words

BANK = PromptBank.default()


def test_every_state_of_the_bank_has_ten_votes():
    votes = yaml.safe_load(STATE_VOTES.read_text("utf-8"))["votes"]
    assert "states.yaml" in SHIPPED and len(votes) > 500
    for name, given in votes.items():
        assert name in BANK.names()
        assert sum(given.values()) == 10 and set(given) <= set(FERPLUS_CLASSES), name


def test_captions_say_what_the_votes_say():
    captions = state_captions(FERPLUS_CLASSES)
    np.testing.assert_allclose(captions.votes.sum(axis=1), 1, rtol=1e-6)
    for text in (BANK.descriptions("apathy")[0], "listless"):
        share = captions.votes[captions.texts.index(text)]
        assert FERPLUS_CLASSES[share.argmax()] == "neutral" and share.max() < 1
    # States are drawn alike, half of the time by what they look like.
    described = [text in BANK.descriptions("apathy") for text in captions.texts]
    assert captions.weights[described].sum() == 1
    voted = yaml.safe_load(STATE_VOTES.read_text("utf-8"))["votes"]
    trained = len(voted) - len(held_out_states()) - len(behaviors())
    assert 1.9 * trained < captions.weights.sum() <= 2 * trained + 0.01


def test_votes_say_nothing_of_behaviors():
    texts = set(state_captions(FERPLUS_CLASSES).texts)
    for name in behaviors():
        described, named = state_texts(name)
        assert described and name in named
        assert not texts & set(described)


def test_what_is_measured_on_is_in_no_caption():
    texts = set(state_captions(FERPLUS_CLASSES).texts)
    texts |= {text for name in behaviors() for kind in state_texts(name) for text in kind}
    for name in held_out_states():
        assert not texts & {name, *BANK.aliases(name), *BANK.descriptions(name)}
    for name in FERPLUS_CLASSES:
        assert not texts & set(BANK.descriptions(name))
    asked = yaml.safe_load(SYNONYMS.read_text("utf-8"))
    # "taken aback", "cross" and "out": other words are spelled like them.
    others = {"taken", "aback", "cross", "crossed", "crosses", "out", "up", "made", "distance"}
    stems = {
        stem
        for words in asked.values()
        for phrase in words
        for word in _words(phrase)
        if word not in {"taken", "cross", "out", "mad", "pink", "distaste"}
        for stem in _stems(word)
    }
    said = {word for text in texts for word in _words(text)} - others
    assert not {word for word in said if _stems(word) & stems}


def test_a_class_that_is_left_out_takes_its_states_along():
    captions = state_captions([name for name in FERPLUS_CLASSES if name != "fear"])
    assert captions.votes.shape[1] == 7
    assert BANK.descriptions("nervousness")[0] not in captions.texts
    assert BANK.descriptions("pride")[0] in captions.texts
