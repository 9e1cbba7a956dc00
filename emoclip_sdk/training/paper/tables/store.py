"""Results on disk: what was measured once is read again while its inputs are unchanged."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ....errors import DatasetError

__all__ = ["cached_result"]

log = logging.getLogger(__name__)


def cached_result(
    folder: Path, name: str, inputs: Mapping[str, Any], work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return the result that is kept for `inputs`, or do the work and keep its result.

    Parameters
    ----------
    folder : Path
        One JSON file for each result, which holds its inputs as well.
    name : str
        How its file name begins, for people.
    inputs : mapping
        All that decides the result, as JSON types.
    work : callable
        Returns the result, as JSON types.

    Raises
    ------
    DatasetError
        The file can't be written.
    """
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:10]
    path = folder / f"{name}-{digest}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["inputs"] == inputs:
            return dict(stored["result"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("%s: can't be read, measured again", path)
    log.info("measuring %s", name)
    text = json.dumps({"inputs": inputs, "result": work()}, ensure_ascii=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise DatasetError(f"{path}: can't be written ({error})") from error
    # As it will be read: lists for tuples, texts for keys.
    return dict(json.loads(text)["result"])
