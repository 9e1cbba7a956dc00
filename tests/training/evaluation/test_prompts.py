"""Which texts stand for the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.prompts import PromptBank, compose
from emoclip_sdk.training.evaluation import class_bank, class_vectors
from emoclip_sdk.training.evaluation.card.wording import PHOTO

CLASSES = ("anger", "surprise", "anger_surprise")


def test_words_are_the_bare_names(tiny_model) -> None:
    vectors = class_vectors(tiny_model, CLASSES, "words")
    anger, surprise = tiny_model.embed_text(["anger", "surprise"])
    np.testing.assert_allclose(vectors[:2], [anger, surprise], atol=1e-5)
    np.testing.assert_allclose(vectors[2], (anger + surprise) / 2, atol=1e-5)


def test_templates_are_averaged(tiny_model) -> None:
    vectors = class_vectors(tiny_model, CLASSES, "templates")
    texts = [text.replace("{label}", "anger") for text in tiny_model.prompts.templates]
    assert len(texts) > 3
    np.testing.assert_allclose(vectors[0], tiny_model.embed_text(texts).mean(axis=0), atol=1e-5)


def test_bank_and_the_two_ways_to_make_a_compound(tiny_model) -> None:
    average = class_vectors(tiny_model, CLASSES)
    np.testing.assert_allclose(average[2], average[:2].mean(axis=0), atol=1e-5)
    joined = class_vectors(tiny_model, CLASSES, compound="concatenate")
    np.testing.assert_allclose(joined[:2], average[:2], atol=1e-5)
    assert not np.allclose(joined[2], average[2], atol=1e-3)


def test_a_file_of_single_classes_makes_compounds_too(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("anger: A frown.\nsurprise: A dropped jaw.\n", encoding="utf-8")
    bank = class_bank(PromptBank.default(), CLASSES, path)
    assert compose(bank, "anger_surprise").texts == ("A frown.", "A dropped jaw.")
    joined = compose(bank, "anger_surprise", "concatenate").texts
    assert joined == ("A frown. A dropped jaw.",)
    with pytest.raises(DatasetError, match=r"own\.yaml: no description of fear"):
        class_bank(PromptBank.default(), ("anger", "fear_surprise"), path)


def test_the_models_own_bank_stays_as_it_is() -> None:
    own = PromptBank.default()
    before = own.hash
    bank = class_bank(own, ("anger", "boredom_anger"), "bank")
    assert "boredom_anger" in bank
    assert own.hash == before
    with pytest.raises(DatasetError, match="no description of frobnication"):
        class_bank(own, ("anger", "frobnication"), "bank")
    assert "frobnication" in class_bank(own, ("anger", "frobnication"), "words")


def test_one_template_as_prompts(tiny_model) -> None:
    bank = class_bank(tiny_model.prompts, ["anger", "happiness"], PHOTO)
    assert bank.descriptions("anger") == ("a photo of a face that shows anger",)


@pytest.mark.parametrize("prompts", ["bank", "templates"])
def test_one_text_is_the_first_of_each_class_and_part(prompts: str) -> None:
    own = PromptBank.default()
    whole = class_bank(own, CLASSES, prompts)
    bank = class_bank(own, CLASSES, prompts, one_text=True)
    first = {name: whole.descriptions(name)[0] for name in CLASSES[:2]}
    assert compose(bank, "anger").texts == (first["anger"],)
    assert compose(bank, "anger_surprise").texts == (first["anger"], first["surprise"])
    (joined,) = compose(bank, "anger_surprise", "concatenate").texts
    assert joined == " ".join(text.rstrip(".") + "." for text in first.values())
    assert len(own.descriptions("anger")) > 1  # the model's bank stays as it is
