"""Pictures of results, with matplotlib (extra ``plot``)."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingDependencyError
from ..results.analysis import Cell, cells, runs
from .figure_files import write_figure
from .style import GRID, INK, MUTED, drawn_text, label_colors, time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..results.scored_windows import ScoredWindows

__all__ = ["plot_actions", "plot_heatmap", "plot_timeline"]

_WIDTH = 9.0  # inches
_MANY = 120  # windows of a face, from which on points would hide the lines
_NAME = 26  # letters of a label in one line
_GAP = "#f3f4f6"
ActionSeries = tuple[Mapping[str, NDArray[np.float64]], NDArray[np.float64]]
_COLUMNS = 4096  # of an image whose windows differ in length
_MAX_FACES = 40  # panels; of more, the picture is too high to be seen and takes minutes
_FAINT = 0.1  # of an action, that is not worth a row
_RUNS = 0.11  # height of the strip of best labels, as a share of the scores' height


def plot_timeline(timeline: ScoredWindows, path: str | Path | None = None) -> Any:
    """Draw scores over time, one panel per face track; gaps stay empty.

    The eight labels that matter most have colors, the others are gray. The strip above the scores
    shows the best label, and nothing where the model abstained.

    Returns
    -------
    matplotlib.figure.Figure
    """
    tracks = _tracks(timeline)
    figure = _figure(0.9 + 2.1 * len(tracks), timeline)
    colors = label_colors(timeline)
    others = [label for label in timeline.labels if label not in colors]
    track_cells, best = cells(timeline), runs(timeline)
    panels = figure.subplots(len(tracks), 1, squeeze=False, sharex=True)[:, 0]
    for axes, track in zip(panels, tracks, strict=True):
        rows = [row for row in timeline.rows if row.track == track]
        middles = [row.middle for row in rows]
        dots = {"marker": "o", "markersize": 3} if len(rows) < _MANY else {}
        for label in [*others, *colors]:
            color = colors.get(label)
            style: dict[str, Any] = {"color": color, "lw": 1.6, **dots}
            if color is None:
                style = {"color": MUTED, "lw": 0.7, "alpha": 0.6}
            axes.plot(middles, [row.scores[label] for row in rows], **style, clip_on=False)
        axes.set_ylim(0, 1.04 + _RUNS)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        axes.set_ylabel("score", color=INK, fontsize=9)
        axes.grid(axis="y", color=GRID, lw=0.8)
        for run in best.get(track, []) if track is not None else []:
            color = colors.get(run.label, MUTED)
            axes.axvspan(run.start, run.end, 1 - _RUNS * 0.85, 1, color=color, lw=0)
        if track is not None:
            _shade_gaps(axes, track_cells[track])
        _finish(axes, _end(timeline), None if track is None else timeline.face_name(track))
    _legend(figure, colors, len(others))
    return write_figure(figure, path, timeline.origin)


def plot_heatmap(timeline: ScoredWindows, path: str | Path | None = None) -> Any:
    """Draw the scores of every label as colors over time, one panel per face track.

    Time in which the face is out of view stays gray.

    Returns
    -------
    matplotlib.figure.Figure
    """
    tracks = _tracks(timeline)
    names = [drawn_text(_shortened(label)) for label in timeline.labels]
    height = max(0.8, 0.21 * len(names))
    figure = _figure(0.9 + (height + 0.45) * len(tracks), timeline)
    track_cells = cells(timeline)
    panels = figure.subplots(len(tracks), 1, squeeze=False, sharex=True)[:, 0]
    colors = None
    for axes, track in zip(panels, tracks, strict=True):
        axes.set_facecolor(GRID)
        row_cells = track_cells.get(track, []) if track is not None else []
        scores = np.array([[c.row.scores[label] for c in row_cells] for label in timeline.labels])
        for start, end in _contiguous(row_cells):
            times = [*[c.start for c in row_cells[start:end]], row_cells[end - 1].end]
            colors = _image(axes, times, scores[:, start:end])
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_ylim(len(names) - 0.5, -0.5)
        _finish(axes, _end(timeline), None if track is None else timeline.face_name(track))
    if colors is not None:
        _color_bar(figure, colors, list(panels), "score")
    return write_figure(figure, path, timeline.origin)


def plot_actions(
    series: Mapping[int, ActionSeries],
    path: str | Path | None = None,
    *,
    source: str,
    duration: float | None,
    origin: str | None = None,
) -> Any:
    """Draw facial actions as colors over time, one panel per face track.

    Actions that stay below `_FAINT` in all faces are left out. Time in which a face can't be read
    stays gray.

    Parameters
    ----------
    series : mapping of int to (dict of str to ndarray (N,), ndarray (N,))
        Of each track the values of each action, and their times in seconds.
    path : str or Path, optional
    source : str
        What the title calls the video.
    duration : float, optional
        Seconds.
    origin : str, optional
        The file that they were read from.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n_tracks = len(series)
    longest = _longest({track: len(times) for track, (_, times) in series.items()})
    series = {track: series[track] for track in longest}
    names = [
        name
        for name in dict.fromkeys(name for values, _ in series.values() for name in values)
        if max(float(np.nanmax(values[name])) for values, _ in series.values()) >= _FAINT
    ]
    height = max(0.8, 0.19 * len(names))
    end = max([duration or 0.0, *(times[-1] for _, times in series.values())])
    subject = f"Facial actions{_left_out(n_tracks)}"
    figure = _titled(0.9 + (height + 0.45) * max(len(series), 1), subject, source)
    panels = figure.subplots(max(len(series), 1), 1, squeeze=False, sharex=True)[:, 0]
    colors = None
    for axes, track in zip(panels, series or [None], strict=True):
        axes.set_facecolor(GRID)
        if track is not None and names:
            values, times = series[track]
            spacing = float(np.median(np.diff(times))) if len(times) > 1 else 0.1
            grid = np.stack([values[name] for name in names])
            for start, stop in _unbroken(times, 2.5 * spacing):
                part = times[start:stop]
                middles = (part[1:] + part[:-1]) / 2
                sides = [part[0] - spacing / 2, *middles, part[-1] + spacing / 2]
                colors = _image(axes, sides, grid[:, start:stop])
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
        _finish(axes, end, None if track is None else f"face {track}")
    if colors is not None:
        _color_bar(figure, colors, list(panels), "strength")
    return write_figure(figure, path, origin)


def _unbroken(times: NDArray[np.float64], gap: float) -> list[tuple[int, int]]:
    """Return where times follow one another without a gap, as (first, last + 1)."""
    breaks = (np.flatnonzero(np.diff(times) > gap) + 1).tolist()
    return list(itertools.pairwise([0, *breaks, len(times)]))


def _tracks(timeline: ScoredWindows) -> list[int | None]:
    """Return the faces that are drawn; time without a face has a panel only where there is none."""
    windows: Counter[int] = Counter()
    for row in timeline.rows:
        if row.track is not None:
            windows[row.track] += row.face_found
    return [*_longest(windows)] or [None]


def _longest(seen: Mapping[int, int]) -> list[int]:
    """Return the faces that are seen most, `_MAX_FACES` at most, in the order given."""
    most = {*sorted(seen, key=lambda track: -seen[track])[:_MAX_FACES]}
    return [track for track in seen if track in most]


def _left_out(n_tracks: int) -> str:
    """Say in a title that not all faces are drawn."""
    return f", the {_MAX_FACES} of {n_tracks} faces seen longest," if n_tracks > _MAX_FACES else ""


def _image(axes: Axes, sides: Sequence[float], values: NDArray[np.floating[Any]]) -> Any:
    """Draw values (rows, times) in [0, 1] between the `sides` of their times, as an image.

    Not as a mesh: of that, a PDF takes a picture as large as the whole page for every panel.
    """
    at, widths = np.asarray(sides, float), np.diff(sides)
    if widths.max() > widths.min() * (1 + 1e-6):
        n = min(_COLUMNS, 4 * math.ceil((at[-1] - at[0]) / max(widths.min(), 1e-9)))
        middles = at[0] + (np.arange(n) + 0.5) / n * (at[-1] - at[0])
        values = values[:, np.searchsorted(at, middles, side="right") - 1]
    return axes.imshow(
        values,
        cmap="Blues",
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        extent=(at[0], at[-1], len(values) - 0.5, -0.5),
    )


def _color_bar(figure: Figure, colors: Any, panels: list[Any], name: str) -> None:
    place: dict[str, Any] = {"location": "bottom", "anchor": (1.0, 0.0)}
    bar = figure.colorbar(colors, ax=panels, shrink=0.3, aspect=24, pad=0.02, **place)
    bar.set_label(name, color=INK, fontsize=8)
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.outline.set_visible(False)


def _end(timeline: ScoredWindows) -> float:
    return max([timeline.duration or 0.0, *(row.end for row in timeline.rows)], default=0.0)


def _figure(height: float, timeline: ScoredWindows) -> Figure:
    n = len({row.track for row in timeline.rows if row.track is not None})
    return _titled(height, f"Apparent expression{_left_out(n)}", timeline.source)


def _titled(height: float, subject: str, source: str) -> Figure:
    try:
        from .notebook_figure import NotebookFigure
    except ImportError:
        raise MissingDependencyError("matplotlib", "plot", "Plotting") from None
    figure = NotebookFigure(figsize=(_WIDTH, height), layout="constrained", facecolor="white")
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=0.1, h_pad=0.08)  # type: ignore[call-arg]
    name = Path(source).name or source  # a whole path says little, and names the user's folders
    name = name if len(name) <= 70 else "…" + name[-69:]
    figure.suptitle(f"{subject} in {drawn_text(name)}", color=INK, fontsize=11)
    return figure


def _shortened(label: str) -> str:
    """Return a label in at most 40 letters, cut between words where there are any."""
    short = textwrap.shorten(label, 40, placeholder=" …")
    return short if len(short) > 2 else label[:39] + "…"


def _finish(axes: Axes, end: float, face: str | None) -> None:
    axes.set_xlim(0, end or 1.0)
    ticks, names = time_ticks(0, end or 1.0)
    axes.set_xticks(ticks, names)
    axes.set_title(face or "no face", loc="left", color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=8, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    place = axes.get_subplotspec()
    if place is None or place.is_last_row():
        axes.set_xlabel("time [s]" if (end or 1) < 120 else "time", color=INK)


def _shade_gaps(axes: Axes, track_cells: Sequence[Cell]) -> None:
    for before, after in itertools.pairwise(track_cells):
        if after.start > before.end:
            axes.axvspan(before.end, after.start, color=_GAP, lw=0, zorder=0)


def _contiguous(track_cells: Sequence[Cell]) -> list[tuple[int, int]]:
    """Return where cells follow one another without a gap, as (first, last + 1)."""
    gaps = [
        i
        for i in range(1, len(track_cells))
        if track_cells[i].start - track_cells[i - 1].end > 1e-6
    ]
    return list(itertools.pairwise([0, *gaps, len(track_cells)] if track_cells else []))


def _legend(figure: Figure, colors: dict[str, str], n_others: int) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=color, lw=3) for color in colors.values()]
    names = [drawn_text(textwrap.fill(label, _NAME)) for label in colors]
    if n_others:
        handles.append(Line2D([], [], color=MUTED, lw=1))
        names.append(f"{n_others} other{'s' if n_others > 1 else ''}")
    # Beside the panels there is room for a column that is no higher than they are.
    high = max(name.count("\n") + 1 for name in names)
    beside = sum(name.count("\n") + 1 for name in names) * 0.2 <= figure.get_figheight() - 0.5
    columns = 1 if beside else 3 if high > 1 else 5
    if not beside:
        lines = math.ceil(len(names) / columns) * high
        figure.set_figheight(figure.get_figheight() + 0.2 * lines + 0.1)
    figure.legend(
        handles,
        names,
        loc="outside right upper" if beside else "outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )
