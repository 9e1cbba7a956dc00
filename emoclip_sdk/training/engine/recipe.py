"""Recipes: YAML files in the package, changed by ``--set key=value``."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ...errors import EmoCLIPError

__all__ = ["load_recipe"]


def load_recipe(name: str | Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Read a recipe of the package by name, or any YAML file.

    Parameters
    ----------
    name : str or Path
        ``"mini"``, or the path of a file.
    changes : sequence of str
        ``"images.lr=5e-4"``: dotted keys that exist in the recipe, values in YAML.

    Raises
    ------
    EmoCLIPError
        No such recipe; a change that names no key of it or has no value.
    """
    folder = Path(str(importlib.resources.files("emoclip_sdk.training"))) / "recipes"
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else folder / f"{name}.yaml"
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise EmoCLIPError(f"{name}: no such recipe. There are: {known}, or a .yaml file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EmoCLIPError(f"{path}: not readable as YAML ({error})") from error
    for change in changes:
        key, equals, value = change.partition("=")
        *parents, last = key.split(".")
        place = recipe
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not equals or not isinstance(place, dict) or last not in place:
            raise EmoCLIPError(f"--set {change}: expected key=value with a key of {path.name}")
        new = yaml.safe_load(value)
        # YAML 1.1 reads 5e-4 as text; a number is meant where a number stood.
        if isinstance(place[last], float) and isinstance(new, str | int):
            new = float(new)
        place[last] = new
    return recipe
