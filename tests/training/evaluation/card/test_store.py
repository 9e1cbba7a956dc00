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
