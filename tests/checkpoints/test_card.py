"""The model card says what the Hub and the law want to know."""

from __future__ import annotations

import dataclasses

import yaml

from emoclip_sdk.checkpoints import model_card
from emoclip_sdk.config import TemporalConfig


def head(card):
    return yaml.safe_load(card.split("---")[1])


def test_front_matter(config):
    card = model_card(config, license="mit")
    assert card.startswith("---\n")
    assert head(card)["library_name"] == "emoclip_sdk"
    assert head(card)["pipeline_tag"] == "video-classification"
    assert head(card)["license"] == "mit"
    assert head(model_card(config))["license"] == "apache-2.0"
    assert "emotion-recognition" in head(card)["tags"]


def test_what_every_card_says(config):
    card = model_card(config)
    for part in (
        "# tiny",
        'model = EmoCLIP.from_pretrained("path/to/this/folder")',
        "apparent expression, not what a person",
        "Article 5(1)(f)",
        "workplace",
        "education institutions",
        "medical or safety reasons",
        "None were measured",
        "arXiv:2310.16640",
        "QuickGELU",
        "1 layers, 2 heads of 8",
    ):
        assert part in card, part
    assert "{" not in card.split("```bibtex")[0]


def test_figures_as_a_list_and_as_a_table(config):
    assert "| war | 0.812 |" in model_card(config, metrics={"war": 0.8123, "n": 3000})
    card = model_card(config, metrics={"bank": {"war": 0.8, "uar": 0.6}, "words": {"war": 0.81}})
    assert (
        "| | war | uar |\n| --- | --- | --- |\n| bank | 0.800 | 0.600 |\n| words | 0.810 |  |"
        in card
    )


def test_training_data(config):
    card = model_card(config, training={"FER+": "Microsoft's labels, MIT", "epochs": 7})
    assert "- **FER+**: Microsoft's labels, MIT\n- **epochs**: 7" in card
    assert "Only words." in model_card(config, training="Only words.")


def test_a_model_without_text_does_not_promise_to_classify(config):
    towers = dataclasses.replace(config.towers, text=False)
    ensemble = TemporalConfig(kind="mean")
    card = model_card(dataclasses.replace(config, towers=towers, temporal=ensemble))
    assert 'model.embed("clip.mp4")' in card
    assert "classify(" not in card
    assert "mean of the frame embeddings" in card
