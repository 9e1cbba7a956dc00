"""Confusion matrices as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Confusion", "draw_confusions"]

INK = "#1f2933"
CELL = 0.55  # inches


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix.

    Attributes
    ----------
    title : str
    counts : sequence of sequence of int, (C, C)
        A row for each true class.
    classes : sequence of str, (C,)
    """

    title: str
    counts: Sequence[Sequence[int]]
    classes: Sequence[str]

    def ordered(self, classes: Sequence[str]) -> Confusion:
        """Return it with these classes first, the others after them."""
        known = [name for name in classes if name in self.classes]
        names = [*known, *(name for name in self.classes if name not in known)]
        at = [self.classes.index(name) for name in names]
        return Confusion(self.title, np.asarray(self.counts)[np.ix_(at, at)].tolist(), names)


def draw_confusions(matrices: Sequence[Confusion], path: Path) -> None:
    """Write confusion matrices, one below the other, as PNG.

    Shares of each true class, and its number of clips; a class without clips has no row. The ground
    is white whatever page it stands on, so that it reads on a dark one as well.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed (extra ``plot``).
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Drawing the confusion matrix") from None
    rows = [sum(map(any, matrix.counts)) for matrix in matrices]
    columns = max(len(matrix.classes) for matrix in matrices)
    heights = [CELL * n + 1.3 for n in rows]
    figure = Figure(
        figsize=(2.4 + CELL * columns, sum(heights)), layout="constrained", facecolor="white"
    )
    grid = figure.subplots(len(matrices), 1, squeeze=False, height_ratios=rows)
    for axes, matrix in zip(grid[:, 0], matrices, strict=True):
        _draw(axes, matrix)
    # Without the version of matplotlib in it the same figures give the same file.
    figure.savefig(path, dpi=100, facecolor="white", metadata={"Software": None})


def _draw(axes: Axes, matrix: Confusion) -> None:
    counts = np.asarray(matrix.counts, float)
    occurs = counts.sum(axis=1) > 0
    totals = counts[occurs].sum(axis=1)
    shares = counts[occurs] / totals[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            if share >= 0.005:
                color = "white" if share > 0.55 else INK
                text = f"{100 * share:.0f}"
                axes.text(j, i, text, ha="center", va="center", color=color, fontsize=9)
    shown = [name for name, present in zip(matrix.classes, occurs, strict=True) if present]
    names = [f"{name} ({int(n)})" for name, n in zip(shown, totals, strict=True)]
    axes.set_xticks(range(len(matrix.classes)), matrix.classes, rotation=40, ha="right", color=INK)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_xlabel("recognized as [% of the row]", color=INK)
    axes.set_ylabel("label (clips)", color=INK)
    axes.set_title(matrix.title, color=INK, fontsize=10)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
