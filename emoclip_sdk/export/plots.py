"""Pictures of results, with matplotlib (extra ``plot``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EmoCLIPError, MissingDependencyError

if TYPE_CHECKING:
    from ..results import Timeline

__all__ = ["plot_timeline"]


def plot_timeline(timeline: Timeline, path: str | Path | None = None) -> Any:
    """Draw scores over time, one panel per face track; gaps stay empty.

    Returns
    -------
    matplotlib.figure.Figure
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Plotting") from None
    seen = dict.fromkeys(row.track for row in timeline.rows)
    # Time in which nobody is there is no panel of its own, unless there is nothing else.
    tracks: list[int | None] = [track for track in seen if track is not None]
    tracks = tracks or [None]
    figure = Figure(figsize=(8, 0.8 + 2.2 * len(tracks)), layout="constrained")
    for axes, track in zip(
        figure.subplots(len(tracks), 1, squeeze=False, sharex=True)[:, 0], tracks, strict=True
    ):
        rows = [row for row in timeline.rows if row.track == track]
        middles = [(row.start + row.end) / 2 for row in rows]
        for label in timeline.labels:
            axes.plot(middles, [row.scores[label] for row in rows], marker=".", label=label)
        axes.set(ylim=(-0.02, 1.02), ylabel="score")
        axes.set_title("no face" if track is None else f"face {track}")
    axes.set_xlabel("time [s]")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    figure.suptitle(f"{timeline.source}: apparent expression")
    if path is not None:
        try:
            figure.savefig(path, dpi=150)
        except (OSError, ValueError) as error:  # ValueError: an ending that matplotlib can't write
            raise EmoCLIPError(f"{path}: the plot can't be written ({error})") from error
    return figure
