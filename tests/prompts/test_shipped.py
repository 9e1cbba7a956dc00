"""The descriptions that ship with the package keep the promises that the documentation makes."""

import os
from pathlib import Path

import pytest
import yaml

from emoclip_sdk.nn import clip_tokenizer
from emoclip_sdk.prompts import LabelEncoder, check, compose

REPO = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EMOCLIP_SHARED", REPO.parent / "shared"))


@pytest.fixture(scope="module")
def mafw():
    path = SHARED / "paper" / "mafw_classes.yaml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_has_all_classes_of_mafw(bank, mafw):
    assert bank.names()[:11] == mafw["single"]


def test_has_all_compounds_of_mafw(bank, mafw):
    expected = {"_".join(parts): parts for parts in mafw["compound"]}
    assert len(expected) == 32
    assert {name: [part for part, _ in parts] for name, parts in bank.compounds.items()} == expected


def test_embeds_the_43_classes(bank, mafw, tower):
    labels = mafw["single"] + ["_".join(parts) for parts in mafw["compound"]]
    embeddings, texts = LabelEncoder(bank, tower).embed(labels)
    assert embeddings.shape == (43, 16)
    assert [text.kind for text in texts] == ["bank"] * 11 + ["compound"] * 32


def test_mafw_entries_have_four_to_six_descriptions(bank):
    assert all(4 <= len(bank.descriptions(name)) <= 6 for name in bank.names()[:11])
    assert len(bank.neutral_sentences) == 5


def test_knows_many_more_states(bank):
    assert len(bank.names()) >= 11 + 36


def test_description_lengths(bank):
    for name in bank.names():
        for text in bank.descriptions(name):
            assert 10 <= len(text.replace("-", " ").split()) <= 30, (name, text)


def test_keeps_the_protocol(bank):
    assert check(bank) == []


def test_texts_fit_the_text_tower(bank):
    tokenizer = clip_tokenizer()

    def count(text: str) -> int:
        return len(tokenizer.encode(text)) + 2

    assert check(bank, count) == []
    # The baseline's joined prompts must not lose their last component to truncation.
    for name in bank.compounds:
        assert count(compose(bank, name, "concatenate").texts[0]) <= 77


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("angry", "anger"),
        ("Happy", "happiness"),
        ("joy", "happiness"),
        ("SAD", "sadness"),
        ("fearful", "fear"),
        ("scared", "fear"),
        ("disgusted", "disgust"),
        ("surprised", "surprise"),
        ("contemptuous", "contempt"),
        ("Anxious", "anxiety"),
        ("expressionless", "neutral"),
        ("calm", "calmness"),
        ("jealous", "envy"),
        ("half-asleep", "sleepiness"),
        ("on_edge", "nervousness"),
        ("happily surprised", "happiness_surprise"),
        ("angrily disgusted", "anger_disgust"),
        ("Anger and disgust", "anger_disgust"),
        ("disgust + angry", "anger_disgust"),
        ("anxiety_fear_surprise", "fear_surprise_anxiety"),
        ("sadness, helplessness and disappointment", "sadness_helplessness_disappointment"),
    ],
)
def test_finds_common_wordings(bank, label, name):
    assert bank.resolve(label) == name
    assert label in bank


@pytest.mark.parametrize("label", ["zebra", "anger and zebra", "and", "", "happiness_sadness"])
def test_does_not_invent(bank, label):
    assert bank.resolve(label) is None
    assert label not in bank


def test_every_wording_leads_home(bank):
    for name in (*bank.names(), *bank.compounds):
        for text in (name, *bank.aliases(name)):
            assert bank.resolve(text) == name


def test_says_what_wrote_it(bank):
    assert bank.version == "1.0"
    assert len(bank.provenance) == 4
    for record in bank.provenance:
        assert {"file", "question", "written_by", "date", "curation"} <= record.keys()
        assert "large language model" in record["written_by"]


def test_templates_take_a_label(bank):
    assert 5 <= len(bank.templates) <= 8
    assert all(template.count("{label}") == 1 for template in bank.templates)
