"""The suite behind a model card: what its figures mean, and how they get into a checkpoint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from emoclip_sdk.training.evaluation import evaluate_pictures
from emoclip_sdk.training.evaluation.card import (
    card_suite,
)
from emoclip_sdk.training.evaluation.card.wording import PARAPHRASES

KEYS = [
    "accuracy", "wording", "left_out", "synonyms", "actions", "temporal", "calibration",
    "abstention", "speed",
]  # fmt: skip


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_every_row_of_the_table(tiny_model, tiny_checkpoint, pictures, outside) -> None:
    result = card_suite(
        tiny_model, pictures, split="valid", folder=tiny_checkpoint, prompt_files=[outside],
        clips=6, draws=5,
    )  # fmt: skip
    assert [row["key"] for row in result["rows"]] == KEYS
    assert result["weights"] == _hash(tiny_checkpoint)
    json.dumps(result, allow_nan=False)
    rows = {row["key"]: row for row in result["rows"]}
    for row in rows.values():
        assert row["figure"] and row["how"] and set(row["goal"]) <= set(row["values"])
    # The same figures as a user's own evaluation.
    for name, prompts in (("bank", "bank"), ("paraphrases", PARAPHRASES), (outside.name, outside)):
        own = evaluate_pictures(tiny_model, pictures, prompts)
        assert rows["wording"]["sets"][name]["war"] == pytest.approx(own["war"], abs=1e-4)
    assert rows["accuracy"]["values"]["uar"] == pytest.approx(
        evaluate_pictures(tiny_model, pictures)["uar"], abs=1e-4
    )
    wars = [row["war"] for row in rows["wording"]["sets"].values()]
    assert len(wars) == 5
    assert rows["wording"]["values"]["spread"] == pytest.approx(max(wars) - min(wars))
    assert rows["left_out"]["values"] == {"mean recall": None}
    assert rows["left_out"]["met"] is None
    assert set(rows["actions"]["values"].values()) == {None}, "these pictures show no faces"
    assert rows["speed"]["values"]["crops per second"] > 0
    size = (tiny_checkpoint / "model.safetensors").stat().st_size / 1e6
    assert rows["speed"]["values"]["checkpoint [MB]"] == pytest.approx(size, abs=1e-4)
