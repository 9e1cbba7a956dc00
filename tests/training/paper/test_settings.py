"""The recipes of the package are understood."""

from __future__ import annotations

import pytest

from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.paper import read_settings


@pytest.mark.parametrize(
    ("name", "experiment"),
    [
        ("mafw-frozen", "contrastive"),
        ("mafw-finetuned", "contrastive"),
        ("clip-frame-ensemble", "contrastive"),
        ("fixture", "contrastive"),
        ("supervised", "supervised"),
        ("loco", "loco"),
        ("probe", "probe"),
    ],
)
def test_recipes_of_the_package_are_understood(name: str, experiment: str) -> None:
    settings = read_settings(load_recipe(name, ["optim.precision=bf16"]))
    assert settings.experiment == experiment
    assert settings.optim.precision == "bf16"
