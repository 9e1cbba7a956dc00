"""What a run folder holds: written down once, and compared by every command that goes on."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import yaml

from ...errors import CheckpointError, EmoCLIPError
from .process import Process
from .state import STATE_FILE, write_text

__all__ = ["claim_folder"]

log = logging.getLogger(__name__)

IDENTITY_FILE = "run.json"


def claim_folder(
    folder: Path,
    identity: dict[str, Any],
    recipe: dict[str, Any],
    process: Process,
    *,
    result: Path | None = None,
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
    result : Path, optional
        What the run leaves elsewhere. It counts as the run's where there is a ``run.json``; a file
        that somebody put there is taken as it is, which is logged.

    Raises
    ------
    EmoCLIPError
        The folder holds the state of another run; the message names what differs.
    """
    identity = json.loads(json.dumps(identity))
    path = folder / IDENTITY_FILE
    state, finished = (folder / STATE_FILE).exists(), result is not None and result.exists()
    if state or (finished and path.exists()):
        try:
            changed = _differences(json.loads(path.read_text(encoding="utf-8")), identity)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path}: does not say what the state beside it belongs to ({error}). Remove "
                "the folder to start again, or name another one with --run"
            ) from error
        if changed:
            raise EmoCLIPError(
                f"{folder}: holds a run of another recipe: {'; '.join(changed)}. Take "
                "the same settings, name another folder with --run, or remove this one"
            )
        return
    if finished:
        log.warning("%s: taken as it is; nothing says by which settings it was made", result)
    if process.main:
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
