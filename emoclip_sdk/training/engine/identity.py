"""What a run folder holds: written down once, and compared by every command that goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from ...errors import CheckpointError, EmoCLIPError
from .process import Process
from .state import STATE_FILE, write_text

__all__ = ["claim_folder"]

IDENTITY_FILE = "run.json"


def claim_folder(
    folder: Path,
    identity: dict[str, Any],
    recipe: dict[str, Any],
    process: Process,
    *,
    results: tuple[Path, ...] = (),
) -> None:
    """Write down what a run is, ``run.json`` and ``recipe.yaml``, or compare it with what is there.

    Parameters
    ----------
    folder : Path
        Run folder.
    identity : dict
        All that decides the result, in JSON types.
    recipe : dict
        The recipe as it was read, overrides included; for people.
    process : Process
    results : tuple of Path
        Files that the run leaves elsewhere; one of them without ``run.json`` is refused as well.

    Raises
    ------
    EmoCLIPError
        The folder holds the state of another run; the message names what differs.
    """
    identity = json.loads(json.dumps(identity))
    path = folder / IDENTITY_FILE
    begun = [file for file in (folder / STATE_FILE, *results) if file.exists()]
    if begun:
        try:
            changed = _differences(json.loads(path.read_text(encoding="utf-8")), identity)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path}: does not say what {begun[0].name} belongs to ({error}). Remove "
                "the folder to start again, or name another one with --run"
            ) from error
        if changed:
            raise EmoCLIPError(
                f"{folder}: holds a run of another recipe: {'; '.join(changed)}. Take "
                "the same settings, name another folder with --run, or remove this one"
            )
    elif process.main:
        write_text(path, json.dumps(identity, indent=2) + "\n")
        text = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)
        write_text(folder / "recipe.yaml", text)


def _differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Name the keys in which two identities differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = list(dict.fromkeys([*old, *new]))
        return [
            text
            for key in keys
            for text in _differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{where} (was {old!r}, now {new!r})"]
