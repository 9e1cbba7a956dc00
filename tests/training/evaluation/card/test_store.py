"""Figures of a suite in a checkpoint's card."""

from __future__ import annotations

import json
from pathlib import Path

from emoclip_sdk.training.data.ferplus import Pictures
from emoclip_sdk.training.evaluation.card import (
    EvaluatedPictures,
    card_suite,
    write_card,
)
from emoclip_sdk.training.evaluation.card.picture import Confusion


def test_figures_of_other_weights_go(
    ferplus: Path, checkpoint: Path, tiny_model, pictures: Pictures
) -> None:
    document = card_suite(
        EvaluatedPictures(tiny_model, pictures), name="test", folder=checkpoint, clips=4, draws=2
    )
    write_card(checkpoint, {**document, "weights": "of another training"})
    write_card(checkpoint, {**document, "split": "valid"})
    assert set(json.loads((checkpoint / "card.json").read_text())) == {"valid"}
    assert "test split" not in (checkpoint / "README.md").read_text()


def test_matrices_of_all_sets_have_one_order_of_classes() -> None:
    matrix = Confusion("mine", [[5, 1, 0], [2, 6, 3], [0, 4, 7]], ["anger", "boredom", "neutral"])
    ordered = matrix.ordered(["neutral", "happiness", "anger"])
    assert ordered.classes == ["neutral", "anger", "boredom"]
    assert ordered.counts == [[7, 0, 4], [0, 5, 1], [3, 2, 6]]
