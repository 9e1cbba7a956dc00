"""Recipes and their overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.engine.recipe import load_recipe


def test_overrides_keep_kinds() -> None:
    recipe = load_recipe(
        "mini", ["images.optim.lr.visual=5e-4", "images.sizes=[[48, 1]]", "text.epochs=1"]
    )
    assert recipe["images"]["optim"]["lr"]["visual"] == 5e-4
    assert recipe["images"]["sizes"] == [[48, 1]]
    assert recipe["text"]["epochs"] == 1


@pytest.mark.parametrize("change", ["images.lr=1", "images", "nothing.lr=1", "seed"])
def test_unknown_keys_are_refused(change: str) -> None:
    with pytest.raises(EmoCLIPError, match=change):
        load_recipe("mini", [change])


def test_unknown_recipe_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EmoCLIPError, match="mini"):
        load_recipe("maxi")
    with pytest.raises(EmoCLIPError, match=r"gone\.yaml"):
        load_recipe(tmp_path / "gone.yaml")


def test_numbers_without_a_point_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("lr: 5e-4\nname: 5e\n")
    assert load_recipe(tmp_path / "own.yaml") == {"lr": 5e-4, "name": "5e"}
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(EmoCLIPError, match=r"list\.yaml: holds no recipe"):
        load_recipe(tmp_path / "list.yaml")
