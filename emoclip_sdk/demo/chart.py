"""A player and a timeline as HTML: text keeps its size on a phone, colors follow the theme."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..export.style import label_colors, time_ticks
from ..results.analysis import Cell, cells, runs
from ..results.reliability import reliability_lines

if TYPE_CHECKING:
    from ..results.scored_windows import TimelineRow
    from ..results.timeline import Timeline

__all__ = ["chart_html", "player_html"]

_MANY = 60  # windows, from which on points would hide the lines


def player_html(timeline: Timeline, address: str, size: tuple[int, int]) -> str:
    """Return a video player that draws a box around each face while it plays.

    Parameters
    ----------
    timeline : Timeline
        Its paths are the boxes.
    address : str
        Of the video.
    size : (int, int)
        Width and height of the video that the paths are measured in.
    """
    width, height = size
    faces = [
        {
            "track": track,
            "spacing": round(path.spacing, 4),
            "times": [round(t, 3) for t in path.times.tolist()],
            "boxes": [
                [round(v / s, 4) for v, s in zip(box, (width, height) * 2, strict=True)]
                for box in path.boxes.tolist()
            ],
        }
        for track, path in timeline.paths.items()
    ]
    return (
        f'<div class="emo-player" style="--ratio: {width / height:.4f}" {_data("faces", faces)}>'
        f'<video src="{escape(address)}" controls playsinline preload="auto" '
        f'aria-label="{escape(timeline.source)}"></video><div class="emo-boxes"></div></div>'
    )


def chart_html(timeline: Timeline) -> str:
    """Return the scores over time, a panel for each face, with a playhead that a script moves."""
    tracks = list(dict.fromkeys(row.track for row in timeline.rows if row.track is not None))
    if not tracks:
        return '<p class="emo-none">No face was found in this video, so there is no score.</p>'
    end = max([timeline.duration or 0.0, *(row.end for row in timeline.rows)]) or 1.0
    colors = {label: f"var(--emo-{i})" for i, label in enumerate(label_colors(timeline))}
    track_cells, best = cells(timeline), runs(timeline)
    captions = {
        track: [_caption(cell, colors) for cell in track_cells[track] if cell.row.face_found]
        for track in tracks
    }
    seconds = {face.track: face.seconds for face in timeline.summary()}
    panels = []
    for track in tracks:
        strip = "".join(
            f'<i style="left: {100 * run.start / end:.2f}%; '
            f"width: {100 * (run.end - run.start) / end:.2f}%; "
            f'background: {colors.get(run.label, "var(--emo-other)")}" '
            f'title="{escape(run.label)}, {run.start:.1f} to {run.end:.1f} s"></i>'
            for run in best.get(track, [])
        )
        rows = [row for row in timeline.rows if row.track == track]
        panels.append(
            f"<h3>Face {track} <small>{seconds[track]:.1f} s in view</small></h3>"
            f'<div class="emo-plot"><div class="emo-strip">{strip}</div>'
            f'<div class="emo-lines"><span style="top: 0">1</span><span style="top: 50%">0.5</span>'
            f'<span style="top: 100%">0</span>{_lines(rows, colors, timeline, end)}</div>'
            '<b class="emo-playhead"></b></div>'
        )
    times, names = time_ticks(0, end, 6)
    if end < 120:
        names[-1] += " s"
    ticks = "".join(
        f'<span style="left: {100 * at / end:.2f}%"{" class=last" if at > 0.96 * end else ""}>'
        f"{name}</span>"
        for at, name in zip(times, names, strict=True)
    )
    return (
        f'<div class="emo-chart" data-end="{end:.3f}" {_data("captions", captions)}>'
        f"{_legend(timeline, colors)}{''.join(panels)}"
        f'<div class="emo-ticks">{ticks}</div>{_reliability(timeline)}</div>'
    )


def _caption(cell: Cell, colors: dict[str, str]) -> list[Any]:
    """Return start, end, the text beside the face between them, and its color."""
    label = str(cell.row.label)
    if cell.row.abstained:
        return [round(cell.start, 3), round(cell.end, 3), "none of these", "var(--emo-other)"]
    text = f"{cell.row.answer} {cell.row.scores[label]:.2f}"
    color = colors.get(label, "var(--emo-other)")
    return [round(cell.start, 3), round(cell.end, 3), text, color]


def _lines(
    rows: Sequence[TimelineRow], colors: dict[str, str], timeline: Timeline, end: float
) -> str:
    drawn = []
    for label in sorted(timeline.labels, key=lambda label: label in colors):
        color, kind = colors.get(label, "var(--emo-other)"), "main" if label in colors else "other"
        for part in _unbroken(rows):
            points = [
                (
                    1000 * row.middle / end,
                    100 * (1 - row.scores[label]),
                )
                for row in part
            ]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn.append(f'<polyline class="{kind}" stroke="{color}" points="{line}"/>')
            if kind == "main" and len(rows) < _MANY:
                # A round end of a line of no length stays round where the picture is stretched.
                dots = " ".join(f"M{x:.1f} {y:.1f}h0.01" for x, y in points)
                drawn.append(f'<path class="dots" stroke="{color}" d="{dots}"/>')
    names = escape(", ".join(timeline.labels))
    return (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Scores over time: {names}">{"".join(drawn)}</svg>'
    )


def _unbroken(rows: Sequence[TimelineRow]) -> Iterator[list[TimelineRow]]:
    part: list[TimelineRow] = []
    for row in rows:
        if row.face_found:
            part.append(row)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _legend(timeline: Timeline, colors: dict[str, str]) -> str:
    means = dict.fromkeys(timeline.labels, 0.0)
    rows = [row for row in timeline.rows if row.face_found]
    for row in rows:
        for label, score in row.scores.items():
            means[label] += score / len(rows)
    items = []
    for label in sorted(timeline.labels, key=lambda label: -means[label]):
        color = colors.get(label, "var(--emo-other)")
        if math.isfinite(means[label]):
            known = timeline.reliability.get(label)
            about = f"mean score; {known.text}" if known else "mean score"
            mark = "" if known is None or known.readable else " (not readable)"
            items.append(
                f'<li title="{escape(about)}"><i style="background: {color}"></i>{escape(label)}'
                f"{mark} <small>{means[label]:.2f}</small></li>"
            )
    return f'<ul class="emo-legend">{"".join(items)}</ul>'


def _reliability(timeline: Timeline) -> str:
    """Say which labels are not read as what they say, where there are any."""
    known = {k: v for k, v in timeline.reliability.items() if v.level != "measured"}
    lines = reliability_lines(known)
    return "".join(f'<p class="emo-note">{escape(line)}</p>' for line in lines)


def _data(name: str, value: Any) -> str:
    """Return attributes for the script: the value, and a hash by which a change is seen."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f'data-{name}="{escape(text)}" data-mark="{mark}"'
