"""A strip of the faces that carried a decision, with matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EmoCLIPError, MissingDependencyError
from .figure_files import write_figure
from .style import drawn_text

if TYPE_CHECKING:
    from ..results.evidence import FrameWeight
    from ..results.records import Prediction

__all__ = ["draw_strip"]

# Blue and orange of Okabe and Ito's palette, which color-blind readers tell apart.
FOR, AGAINST, OTHER = "#0072B2", "#D55E00", "#999999"


def draw_strip(
    prediction: Prediction,
    frames: Sequence[FrameWeight],
    path: str | Path | None = None,
    origin: str | None = None,
) -> Any:
    """Draw the faces that have a picture above the weights of all frames.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    EmoCLIPError
        There is no face to draw, or the file can't be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Plotting") from None
    from PIL import Image

    pictured = [frame for frame in frames if frame.picture is not None]
    if not pictured:
        raise EmoCLIPError(f"{prediction.source}: there is no face to draw")
    figure = Figure(figsize=(max(1.35 * len(pictured), 6.0), 4.6), layout="constrained")
    rows = (1.9, 1.2, 0.8) if len(frames) > 1 else (1,)
    grid = figure.add_gridspec(len(rows), len(pictured), height_ratios=rows)
    for column, frame in enumerate(pictured):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(Image.open(io.BytesIO(frame.picture or b"")))
        change = "" if math.isnan(frame.change) else f"\n{frame.change:+.2g}"
        axes.set_title(f"{frame.time:.1f} s{change}", fontsize=9, color=_color(frame.change))
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=_color(frame.change), linewidth=3)
    title = drawn_text(f"{Path(prediction.source).name}: {prediction.label}") + " "
    title += f"{prediction.scores[prediction.label or '']:.2f}"
    if len(frames) > 1:
        _draw_weights(figure, grid, frames)
        title += ". Blue spoke for it, orange against"
    figure.suptitle(title, fontsize=11)
    return write_figure(figure, path, origin)


def _draw_weights(figure: Any, grid: Any, frames: Sequence[FrameWeight]) -> None:
    """Draw change and attention of all frames, those with a picture in color."""
    times = [frame.time for frame in frames]
    width = 0.8 * min((b - a for a, b in itertools.pairwise(times)), default=0.1)
    changes = figure.add_subplot(grid[1, :])
    changes.bar(
        times,
        [0.0 if math.isnan(frame.change) else frame.change for frame in frames],
        width,
        color=[_color(frame.change) if frame.picture else OTHER for frame in frames],
    )
    changes.axhline(0, color="black", linewidth=0.8)
    changes.tick_params(labelbottom=False)
    changes.set_ylabel("change of\nthe score", fontsize=9)
    attention = figure.add_subplot(grid[2, :], sharex=changes)
    attention.bar(times, [frame.attention for frame in frames], width, color=OTHER)
    attention.set_ylabel("attention", fontsize=9)
    attention.set_xlabel("time [s]")
    figure.align_ylabels([changes, attention])


def _color(change: float) -> str:
    if math.isnan(change):
        return OTHER
    return FOR if change >= 0 else AGAINST
