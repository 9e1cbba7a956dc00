"""What a command writes, checked against what it reads, before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import typer

from ..errors import EmoCLIPError

__all__ = ["check_outputs"]


def check_outputs(outputs: Mapping[str, Any], *inputs: Any) -> None:
    """Refuse outputs that would destroy an input, or one another.

    Parameters
    ----------
    outputs : mapping of str to path, several of them, or None
        By the option that names them.
    *inputs : path, several of them, or None
        Everything that the command reads: videos, models, prompt files, label files.

    Raises
    ------
    typer.BadParameter
        Naming the option, the output and the input.
    """
    from ..export.files import check_output

    read = [path for given in inputs for path in _each(given)]
    written: list[Any] = []
    for option, given in outputs.items():
        for path in _each(given):
            try:
                check_output(path, read, written)
            except EmoCLIPError as error:
                raise typer.BadParameter(str(error), param_hint=option) from None
            written.append(path)


def _each(given: Any) -> Iterable[Any]:
    if given is None:
        return []
    return given if isinstance(given, list | tuple) else [given]
