"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....errors import MissingDependencyError

__all__ = ["draw_confusion"]

INK = "#1f2933"


def draw_confusion(
    confusion: Sequence[Sequence[int]], classes: Sequence[str], title: str, path: Path
) -> None:
    """Write a confusion matrix as PNG: shares of each true class, and its number of clips.

    Its ground is white whatever page it stands on, so that it reads on a dark one as well.

    Parameters
    ----------
    confusion : sequence of sequence of int, (C, C)
        Counts, a row for each true class.
    classes : sequence of str, (C,)
    title : str
    path : Path

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed (extra ``plot``).
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Drawing the confusion matrix") from None
    counts = np.asarray(confusion, float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    side = 1.6 + 0.55 * len(classes)
    figure = Figure(figsize=(side, side), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            if share >= 0.005:
                color = "white" if share > 0.55 else INK
                text = f"{100 * share:.0f}"
                axes.text(j, i, text, ha="center", va="center", color=color, fontsize=9)
    at = range(len(classes))
    names = [f"{name} ({int(n)})" for name, n in zip(classes, totals[:, 0], strict=True)]
    axes.set_xticks(at, classes, rotation=40, ha="right", color=INK)
    axes.set_yticks(at, names, color=INK)
    axes.set_xlabel("recognized as [% of the row]", color=INK)
    axes.set_ylabel("votes of the annotators (pictures)", color=INK)
    axes.set_title(title, color=INK, fontsize=10)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # Without the version of matplotlib in it the same figures give the same file.
    figure.savefig(path, dpi=100, facecolor="white", metadata={"Software": None})
