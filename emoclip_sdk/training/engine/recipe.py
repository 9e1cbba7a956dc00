"""Recipes: YAML files in the package, changed by ``--set key=value``."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ...errors import EmoCLIPError

__all__ = ["load_recipe", "merged"]


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 5e-4 as text; here it is a number, as in YAML 1.2."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def load_recipe(
    name: str | Path, changes: Sequence[str] = (), over: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Read a recipe of the package by name, or any YAML file.

    Parameters
    ----------
    name : str or Path
        ``"mini"``, or the path of a file.
    changes : sequence of str
        ``"images.mixup=0.4"``: dotted keys that exist in the recipe, values in YAML.
    over : mapping, optional
        Settings that go over those of the recipe, before the changes.

    Raises
    ------
    EmoCLIPError
        No such recipe; a change that names no key of it or has no value.
    """
    folder = Path(str(importlib.resources.files("emoclip_sdk.training"))) / "recipes"
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else folder / f"{name}.yaml"
    try:
        recipe = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise EmoCLIPError(f"{name}: no such recipe. There are: {known}, or a .yaml file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EmoCLIPError(f"{path}: not readable as YAML ({error})") from error
    if not isinstance(recipe, dict):
        raise EmoCLIPError(f"{path}: holds no recipe: expected keys and values")
    recipe = merged(recipe, over or {})
    for change in changes:
        key, equals, value = change.partition("=")
        *parents, last = key.split(".")
        place: Any = recipe
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not equals or not isinstance(place, dict) or last not in place:
            raise EmoCLIPError(f"--set {change}: expected key=value with a key of {path.name}")
        try:
            place[last] = yaml.load(value, _Loader)
        except yaml.YAMLError as error:
            raise EmoCLIPError(f"--set {change}: the value is not YAML ({error})") from error
    return recipe


def merged(recipe: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of `over` in their place, mapping by mapping."""
    result = dict(recipe)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(value, Mapping):
            value = merged(below if isinstance(below, Mapping) else {}, value)
        result[key] = value
    return result
