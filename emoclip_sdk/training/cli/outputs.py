"""What a command writes, checked against a dataset, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from ...cli.outputs import check_outputs

__all__ = ["check_dataset_outputs"]


def check_dataset_outputs(outputs: Mapping[str, Path | None], root: Path, *inputs: Any) -> None:
    """Refuse outputs that would destroy an input, one another, or a file of a dataset.

    Parameters
    ----------
    outputs : mapping of str to Path, or None
        By the option that names them.
    root : Path
        The dataset's folder or file. What is in the folder already may be a part of the dataset.
    *inputs : path, several of them, or None
        What is read besides.

    Raises
    ------
    typer.BadParameter
        Naming the option, the output and what it would destroy.
    """
    check_outputs(outputs, root, *inputs)
    for option, path in outputs.items():
        if path is not None and path.exists() and root.resolve() in path.resolve().parents:
            raise typer.BadParameter(
                f"{path}: is there already, in the dataset's folder, and would be overwritten. "
                "Write to another name",
                param_hint=option,
            )
