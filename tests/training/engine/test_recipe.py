"""Recipes and their overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.engine.recipe import load_recipe


def test_overrides_keep_kinds() -> None:
    recipe = load_recipe("mini", ["images.lr=5e-4", "images.sizes=[[48, 1]]", "text.epochs=1"])
    assert recipe["images"]["lr"] == 5e-4
    assert recipe["images"]["sizes"] == [[48, 1]]
    assert recipe["text"]["epochs"] == 1


@pytest.mark.parametrize("change", ["images.learning_rate=1", "images", "nothing.lr=1", "seed"])
def test_unknown_keys_are_refused(change: str) -> None:
    with pytest.raises(EmoCLIPError, match=change):
        load_recipe("mini", [change])


def test_unknown_recipe_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EmoCLIPError, match="mini"):
        load_recipe("maxi")
    with pytest.raises(EmoCLIPError, match=r"gone\.yaml"):
        load_recipe(tmp_path / "gone.yaml")
