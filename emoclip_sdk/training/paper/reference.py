"""The reference implementation's settings, where the recipes have others."""

from __future__ import annotations

from typing import Any

import yaml

from ...assets import package_file
from ..engine.recipe import merged

__all__ = ["reference_settings"]


def reference_settings(experiment: str, dataset: str) -> dict[str, Any]:
    """Return what goes over a recipe, for one kind of experiment on one dataset.

    Parameters
    ----------
    experiment : {"contrastive", "supervised", "loco", "probe"}
    dataset : str
        One that the authors have no script for has no settings of its own.
    """
    path = package_file(__package__, "reference.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = dict(content[experiment])
    of_dataset = own.pop("datasets", {}).get(dataset, {})
    return merged(merged(content["all"], own), of_dataset)
