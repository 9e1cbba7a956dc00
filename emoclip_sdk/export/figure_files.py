"""Figures of matplotlib as files, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EmoCLIPError
from .files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_figure"]


def write_figure(figure: Figure, path: str | Path | None, origin: str | None = None) -> Figure:
    """Write a figure where there is a path, in the format that its ending says; return the figure.

    Raises
    ------
    EmoCLIPError
        An ending that matplotlib can't write, or the file can't be written or is `origin`.
    """
    if path is None:
        return figure
    path = Path(path)
    with atomic_write(path, origin) as part:
        try:
            figure.savefig(part, dpi=150, format=path.suffix.lower().lstrip(".") or "png")
        except ValueError as error:
            raise EmoCLIPError(f"{path}: the picture can't be written ({error})") from error
    return figure
