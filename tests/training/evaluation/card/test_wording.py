"""Rows about words: synonyms by their routes, paraphrases in other words."""

from __future__ import annotations

import pytest
import yaml

from emoclip_sdk.prompts.facial_actions import ACTIONS
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.evaluation import class_vectors
from emoclip_sdk.training.evaluation.card import (
    EvaluatedPictures,
)
from emoclip_sdk.training.evaluation.card.wording import PARAPHRASES, synonym_row


def test_synonyms_against_centroids_that_are_the_descriptions(tiny_model, pictures) -> None:
    split = EvaluatedPictures(
        tiny_model, Pictures(pictures.images[:8], pictures.votes[:8], FERPLUS_CLASSES)
    )
    split.__dict__["video"] = class_vectors(tiny_model, FERPLUS_CLASSES)
    row = synonym_row(split)
    assert row.n == 120
    assert row.values["nearest clips"] == row.values["nearest descriptions"]
    missed = sum(map(len, row.details["misses"].values()))
    assert row.values["nearest clips"] == pytest.approx(1 - missed / 120)
    routes = row.details["routes"]
    assert sum(route["n"] for route in routes.values()) == 120
    # What the bank takes for a name of the class itself can't go elsewhere: told apart.
    assert routes["the bank has it as a name of one of the classes"]["right"] == 1


def test_paraphrases_are_in_other_words() -> None:
    paraphrases = yaml.safe_load(PARAPHRASES.read_text(encoding="utf-8"))
    assert set(paraphrases) == set(FERPLUS_CLASSES)
    text_of_all = " ".join(paraphrases.values()).lower()
    assert not [text for wordings in ACTIONS.values() for text in wordings if text in text_of_all]
    assert not [name for name, text in paraphrases.items() if name[:5] in text.lower()]
