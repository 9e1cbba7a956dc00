"""Facial actions over time as HTML: in words, and as colors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..results.analysis import Cell, cells
from .axes import TimeAxis, heading
from .chart import no_face_html

if TYPE_CHECKING:
    from ..results.actions import FaceActions
    from ..results.timeline import Timeline

__all__ = ["actions_html"]

_FAINT = 0.1  # of an action that is not worth a row, as in the heat map of `FaceActions`
_COLUMNS = 200  # of a row: of more frames, the strongest of some is drawn


def actions_html(actions: FaceActions, timeline: Timeline, begin: float = 0.0) -> str:
    """Return what each face does: in words for each window, and every action as colors.

    Parameters
    ----------
    actions : FaceActions
        Of the sampled frames.
    timeline : Timeline
        With `actions`, of the same video.
    begin : float
        Seconds at which the part that was read begins.
    """
    tracks = list(dict.fromkeys(row.track for row in timeline.rows if row.track is not None))
    if not tracks:
        return no_face_html()
    axis = TimeAxis.of(timeline, begin)
    track_cells, series = cells(timeline), actions.series()
    compared = {known.track for known in timeline.baselines if known.used}
    panels = []
    for track in tracks:
        against = "against the person's own neutral face" if track in compared else ""
        drawn = "<p>The landmark network sees no face here.</p>"
        if track in series:
            drawn = _heat(*series[track], axis)
        panels.append(
            f"<section>{heading(track, against)}{_words(track_cells.get(track, []))}{drawn}"
            "</section>"
        )
    return (
        f'<div class="emo-chart" {axis.attributes()}>{"".join(panels)}'
        '<div class="emo-key">Color: strength of each action, 0 <i class="emo-scale"></i> 1. '
        "Actions are blendshapes, as a landmark network estimates them, left and right averaged; "
        "they are no FACS coding.</div></div>"
    )


def _words(own: Sequence[Cell]) -> str:
    """Return what a face does, stretch by stretch."""
    stretches: list[tuple[str, float, float]] = []
    for cell in own:
        text = cell.row.action_text
        if text is None:
            continue
        if stretches and stretches[-1][0] == text and cell.start - stretches[-1][2] < 1e-6:
            stretches[-1] = (text, stretches[-1][1], cell.end)
        else:
            stretches.append((text, cell.start, cell.end))
    items = "".join(
        f"<li><small>{start:.1f} to {end:.1f} s</small> {escape(text)}</li>"
        for text, start, end in stretches
    )
    return f'<ul class="emo-words">{items}</ul>' if items else ""


def _heat(
    values: Mapping[str, NDArray[np.float64]], times: NDArray[np.float64], axis: TimeAxis
) -> str:
    """Return a row of colors for each action, the strongest first."""
    peaks = {name: float(np.nanmax(series)) for name, series in values.items()}
    shown = sorted((n for n in peaks if peaks[n] >= _FAINT), key=lambda name: -peaks[name])
    if not shown:
        return "<p>No facial action stands out.</p>"
    names, rows = [], []
    for name in shown:
        at = times[int(np.nanargmax(values[name]))]
        about = f"{name}: {peaks[name]:.2f} at most, at {at:.1f} s"
        names.append(f'<span title="{about}">{name}</span>')
        colors = _gradient(values[name], times, axis)
        rows.append(f'<div title="{about}" style="background-image: {colors}"></div>')
    return (
        f'<div class="emo-heat"><div class="emo-names">{"".join(names)}</div>'
        f'<div class="emo-plot">{"".join(rows)}<b class="emo-playhead"></b></div>'
        f"{axis.ticks()}</div>"
    )


def _gradient(series: NDArray[np.float64], times: NDArray[np.float64], axis: TimeAxis) -> str:
    """Return the colors of an action over time; nothing where the face is away."""
    spacing = float(np.median(np.diff(times))) if len(times) > 1 else axis.end - axis.begin
    n = max(1, min(_COLUMNS, round((axis.end - axis.begin) / spacing)))
    width = (axis.end - axis.begin) / n
    stops = []
    for i in range(n):
        start = axis.begin + i * width
        inside = series[(times >= start - width / 2) & (times < start + width / 2)]
        if not len(inside):  # frames do not come as regularly as columns
            nearest = int(np.argmin(np.abs(times - start)))
            near = abs(float(times[nearest]) - start) <= 1.5 * spacing
            inside = series[nearest : nearest + int(near)]
        color = "transparent"
        if len(inside):
            color = f"rgb(var(--emo-heat) / {100 * float(np.nanmax(inside)):.0f}%)"
        stops.append(f"{color} {100 * i / n:.2f}% {100 * (i + 1) / n:.2f}%")
    return f"linear-gradient(90deg, {', '.join(stops)})"
