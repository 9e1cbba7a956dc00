"""The recall of classes by models that never saw them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.evaluation import evaluate_pictures
from emoclip_sdk.training.evaluation.card import EvaluatedPictures, left_out
from emoclip_sdk.training.evaluation.card.left_out import left_out_row


def test_left_out_classes(tiny_model, tiny_checkpoint, pictures, tmp_path: Path) -> None:
    split = EvaluatedPictures(tiny_model, pictures)
    for name in ("anger", "fear"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    row = left_out_row(split, tmp_path, where="valid")
    per_class = row.details["per_class"]
    own = evaluate_pictures(tiny_model, pictures)["per_class"]
    assert {name: part["recall"] for name, part in per_class.items()} == {
        name: own[name]["recall"] for name in ("anger", "fear")
    }
    assert per_class["anger"]["n"] == 6
    assert sum(per_class["anger"]["taken for"].values()) == 6
    assert "No model leaves out neutral, happiness" in row.how
    assert row.details["complete"] is False and "pixels" not in row.how

    with pytest.raises(DatasetError, match="no checkpoint folder with the name of a class"):
        left_out_row(split, tmp_path / "anger", where="valid")


def test_models_of_another_size_are_no_secret(
    tiny_model, tiny_checkpoint, pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "fear")
    config = tiny_model.config
    smaller = replace(config, image=replace(config.image, size=config.image.size // 2))
    monkeypatch.setattr(left_out.ModelConfig, "from_json_file", lambda path: smaller)
    split = EvaluatedPictures(tiny_model, pictures)
    monkeypatch.setattr(left_out, "_recall", lambda *_: {"recall": 0.5, "n": 2, "taken for": {}})
    how = left_out_row(split, tmp_path, where="valid").how
    assert f"see pictures of {smaller.image.size} pixels, not of {config.image.size}." in how
