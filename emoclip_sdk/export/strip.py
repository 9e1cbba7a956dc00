"""A strip of the faces that carried a decision, with matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EmoCLIPError, MissingDependencyError
from ..results.evidence import NOISE
from .figure_files import write_figure
from .style import OKABE_ITO, drawn_text

if TYPE_CHECKING:
    from ..results.evidence import FrameWeight
    from ..results.records import Prediction

__all__ = ["draw_strip"]

# Blue and orange of Okabe and Ito's palette, which color-blind readers tell apart.
FOR, AGAINST, OTHER = "#0072B2", "#D55E00", "#999999"
_LINES = 3  # labels whose scores are drawn


def draw_strip(
    prediction: Prediction,
    frames: Sequence[FrameWeight],
    path: str | Path | None = None,
    origin: str | None = None,
) -> Any:
    """Draw the faces that have a picture above the scores about all frames.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    EmoCLIPError
        There is no face to draw, or the file can't be written.
    """
    try:
        from .notebook_figure import NotebookFigure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Plotting") from None
    from PIL import Image

    pictured = [frame for frame in frames if frame.picture is not None]
    if not pictured:
        raise EmoCLIPError(f"{prediction.source}: there is no face to draw")
    figure = NotebookFigure(figsize=(max(1.35 * len(pictured), 6.0), 4.6), layout="constrained")
    rows = (1.9, 1.2, 0.8) if len(frames) > 1 else (1,)
    grid = figure.add_gridspec(len(rows), len(pictured), height_ratios=rows)
    for column, frame in enumerate(pictured):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(Image.open(io.BytesIO(frame.picture or b"")))
        score = frame.scores[str(prediction.label)]
        axes.set_title(f"{frame.time:.1f} s\n{score:.0%}", fontsize=9, color=_color(frame))
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=_color(frame), linewidth=3)
    title = drawn_text(f"{Path(prediction.source).name}: {prediction.label}") + " "
    title += f"{prediction.scores[prediction.label or '']:.0%}"
    if len(frames) > 1:
        _draw_scores(figure, grid, frames, prediction)
        title += "\nBlue spoke for it, orange against; gray: no more than noise"
    figure.suptitle(title, fontsize=11)
    return write_figure(figure, path, origin)


def _draw_scores(
    figure: Any, grid: Any, frames: Sequence[FrameWeight], prediction: Prediction
) -> None:
    """Draw the scores about every frame, and what the result loses without it."""
    times = [frame.time for frame in frames]
    width = 0.8 * min((b - a for a, b in itertools.pairwise(times)), default=0.1)
    scores = figure.add_subplot(grid[1, :])
    for (label, _), color in zip(prediction.top(_LINES), OKABE_ITO, strict=False):
        values = [100 * frame.scores[label] for frame in frames]
        line = 2.5 if label == prediction.label else 1.2
        scores.plot(times, values, color=color, linewidth=line, label=drawn_text(label))
    scores.set(ylim=(-3, 103))
    scores.set_ylabel("score then\n[%]", fontsize=9)
    scores.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    scores.tick_params(labelbottom=False)
    changes = figure.add_subplot(grid[2, :], sharex=scores)
    points = [0.0 if math.isnan(frame.change) else 100 * frame.change for frame in frames]
    changes.bar(times, points, width, color=[_color(frame) for frame in frames])
    # What is noise is not stretched to the height of the picture.
    limit = max(200 * NOISE, 1.1 * max(map(abs, points)))
    changes.set(ylim=(-limit, limit))
    changes.axhline(0, color="black", linewidth=0.8)
    changes.set_ylabel("spoke for it\n[points]", fontsize=9)
    changes.set_xlabel("time [s]")
    figure.align_ylabels([scores, changes])


def _color(frame: FrameWeight) -> str:
    if not frame.counts:
        return OTHER
    return FOR if frame.change > 0 else AGAINST
