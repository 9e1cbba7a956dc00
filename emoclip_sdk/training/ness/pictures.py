"""Scatter plots: what was rated against what was estimated for patients never trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import MissingDependencyError
from .scales import Score

if TYPE_CHECKING:
    from .study import StudyResult

__all__ = ["draw_scatter"]


def draw_scatter(result: StudyResult, score: Score, path: Path) -> None:
    """Draw one score, a point for each interview.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "train", "A scatter plot") from None
    column = result.study.scores.index(score)
    rating = result.study.ratings[:, column]
    estimate = result.predictions["probe"][:, column]
    known = ~np.isnan(rating)
    figure = Figure(figsize=(4.8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    margin = 0.04 * (score.high - score.low)
    limits = (score.low - margin, score.high + margin)
    axes.plot(limits, limits, color="0.7", linewidth=1, zorder=0)
    # Ratings are whole numbers: transparency shows where several points lie on each other.
    axes.scatter(rating[known], estimate[known], s=22, alpha=0.45, linewidths=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal", xlabel="rated", ylabel="estimated")
    figures = result.figures["probe"][score.name]
    pcc, spread = figures["pcc"], figures["intervals"]["pcc"]
    correlation = "PCC not defined" if pcc is None else f"PCC {pcc:.2f}"
    correlation += "" if spread is None else f" [{spread[0]:.2f}, {spread[1]:.2f}]"
    mae = "" if figures["mae"] is None else f", MAE {figures['mae']:.2f}"
    axes.set_title(f"{score.title}\n{correlation}{mae}, n = {figures['n']}", fontsize=10)
    figure.savefig(path, dpi=130)
