"""Scores over time as HTML: text keeps its size on a phone, colors follow the theme."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..results.analysis import Cell, TrackSummary, cells
from ..results.reliability import reliability_lines
from .axes import TimeAxis, data_attributes, heading
from .colors import LabelStyle

if TYPE_CHECKING:
    from ..results.records import Prediction
    from ..results.scored_windows import TimelineRow
    from ..results.timeline import Timeline

__all__ = ["chart_html", "no_face_html"]

NONE = "none of these"
_MANY = 60  # windows, from which on points would hide the lines
_TIPS = 500  # cells of a person, from which on they are too narrow to be pointed at
_LISTED = 12  # labels of a legend
_TOLD = 3  # scores of a tooltip


def chart_html(
    timeline: Timeline,
    answers: Sequence[Prediction],
    styles: Mapping[str, LabelStyle],
    begin: float = 0.0,
) -> str:
    """Return the scores over time, a panel for each person, with a playhead that a script moves.

    Parameters
    ----------
    timeline : Timeline
    answers : sequence of Prediction
        Of each face over all of the video, as ``classify(track="all")`` returns them.
    styles : mapping of str to LabelStyle
        How each label is drawn.
    begin : float
        Seconds at which the part that was read begins.
    """
    tracks = list(dict.fromkeys(row.track for row in timeline.rows if row.track is not None))
    if not tracks:
        return no_face_html()
    axis = TimeAxis.of(timeline, begin)
    track_cells = cells(timeline)
    captions = {
        track: [_caption(cell, styles) for cell in track_cells.get(track, [])] for track in tracks
    }
    whole = {answer.track: answer for answer in answers}
    faces = {face.track: face for face in timeline.summary()}
    compared = {known.track: known.scores for known in timeline.baselines if known.used}
    panels = []
    for track in tracks:
        own = track_cells.get(track, [])
        rows = [row for row in timeline.rows if row.track == track]
        answer = whole.get(track)
        face = faces.get(track)
        about = f"{_answer(answer)}{face.seconds if face else 0.0:.1f} s in view"
        panels.append(
            f"<section>{heading(track, about)}"
            f"{_legend(answer, face, styles, compared.get(track) or {})}"
            f'<div class="emo-plot"><div class="emo-strip">{_strip(own, styles, axis)}</div>'
            f'<div class="emo-lines"><span style="top: 0">1</span><span style="top: 50%">0.5</span>'
            f'<span style="top: 100%">0</span>{_lines(rows, styles, timeline.labels, axis)}'
            f"{_tips(own, axis)}</div>"
            f'<b class="emo-playhead"></b></div>{axis.ticks()}</section>'
        )
    return (
        f'<div class="emo-chart" {axis.attributes()} {data_attributes("captions", captions)}>'
        f"{''.join(panels)}{_key(timeline)}{_notes(timeline)}</div>"
    )


def no_face_html() -> str:
    """Return what is shown where nobody is."""
    return '<p class="emo-none">No face was found in this video, so there is no score.</p>'


def _answer(answer: Prediction | None) -> str:
    """Return the one answer for all of the video, as `emoclip classify` gives it."""
    if answer is None or answer.label is None:
        return ""
    text = NONE if answer.abstained else f"{answer.answer} {answer.scores[answer.label]:.2f}"
    return f"<b>{escape(text)}</b> over all of it; "


def _caption(cell: Cell, styles: Mapping[str, LabelStyle]) -> list[Any]:
    """Return start, end, the text beside the face between them, and its color."""
    label = str(cell.row.label)
    if cell.row.abstained:
        return [round(cell.start, 3), round(cell.end, 3), NONE, "var(--emo-other)"]
    text = f"{cell.row.answer} {cell.row.scores[label]:.2f}"
    return [round(cell.start, 3), round(cell.end, 3), text, styles[label].color]


def _strip(own: Sequence[Cell], styles: Mapping[str, LabelStyle], axis: TimeAxis) -> str:
    """Return the best label over time; where the model abstained, a stretch says so, too."""
    drawn = []
    for label, start, end in _stretches(own):
        about = f"{label or NONE}, {start:.1f} to {end:.1f} s"
        if label is None:
            drawn.append(f'<i class="none" style="{axis.place(start, end)}" title="{about}"></i>')
        else:
            drawn.append(styles[label].swatch(axis.place(start, end), escape(about)))
    return "".join(drawn)


def _stretches(own: Sequence[Cell]) -> Iterator[tuple[str | None, float, float]]:
    """Yield label, start and end of cells that follow one another; None: the model abstained."""
    now: tuple[str | None, float, float] | None = None
    for cell in own:
        label = None if cell.row.abstained else cell.row.label
        if now is not None and now[0] == label and cell.start - now[2] < 1e-6:
            now = (label, now[1], cell.end)
            continue
        if now is not None:
            yield now
        now = (label, cell.start, cell.end)
    if now is not None:
        yield now


def _lines(
    rows: Sequence[TimelineRow],
    styles: Mapping[str, LabelStyle],
    labels: Sequence[str],
    axis: TimeAxis,
) -> str:
    drawn = []
    for label in sorted(labels, key=lambda label: styles[label].named):
        style = styles[label]
        kind = "other" if not style.named else "main dashed" if style.dashed else "main"
        for part in _unbroken(rows):
            points = [(10 * axis.at(row.middle), 100 * (1 - row.scores[label])) for row in part]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn.append(f'<polyline class="{kind}" stroke="{style.color}" points="{line}"/>')
            if style.named and len(rows) < _MANY:
                # A round end of a line of no length stays round where the picture is stretched.
                dots = " ".join(f"M{x:.1f} {y:.1f}h0.01" for x, y in points)
                drawn.append(f'<path class="dots" stroke="{style.color}" d="{dots}"/>')
    names = escape(", ".join(labels))
    return (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Scores over time: {names}">{"".join(drawn)}</svg>'
    )


def _unbroken(rows: Sequence[TimelineRow]) -> Iterator[list[TimelineRow]]:
    for found, part in itertools.groupby(rows, lambda row: row.face_found):
        if found:
            yield list(part)


def _tips(own: Sequence[Cell], axis: TimeAxis) -> str:
    """Return what says the scores where one points."""
    if len(own) > _TIPS:
        return ""
    return "".join(
        f'<i class="emo-tip" style="{axis.place(cell.start, cell.end)}" '
        f'title="{escape(_told(cell.row))}"></i>'
        for cell in own
    )


def _told(row: TimelineRow) -> str:
    ranked = sorted(row.scores, key=lambda label: -row.scores[label])[:_TOLD]
    changes = row.score_changes or {}

    def score(label: str) -> str:
        change = changes.get(label)
        known = change is not None and change == change
        return f"{label} {row.scores[label]:.2f}" + (f" ({change:+.2f})" if known else "")

    none = f"{NONE}; " if row.abstained else ""
    return f"{row.start:.1f} to {row.end:.1f} s: {none}{', '.join(map(score, ranked))}"


def _legend(
    answer: Prediction | None,
    face: TrackSummary | None,
    styles: Mapping[str, LabelStyle],
    compared: Mapping[str, float],
) -> str:
    """Return a person's labels, in order of the scores over all of the video."""
    if answer is None or not answer.face_found:
        return ""
    ranked = answer.top(len(answer.scores))
    items = []
    for label, score in ranked[:_LISTED]:
        known = answer.reliability.get(label)
        mark = "" if known is None or known.readable else " (not readable)"
        before = f" / {compared[label]:.2f} neutral" if label in compared else ""
        items.append(
            f'<li title="{escape(known.text if known else label)}">{styles[label].swatch()}'
            f"{escape(label)}{mark} <small>{score:.2f}{before}</small></li>"
        )
    rest = ranked[_LISTED:]
    if rest:
        names = ", ".join(f"{label} {score:.2f}" for label, score in rest)
        items.append(f'<li title="{escape(names)}"><small>and {len(rest)} more</small></li>')
    if face is not None and face.abstained_share > 0:
        share = f"{face.abstained_share:.0%} of the time"
        items.append(
            f'<li title="no label fits well enough"><i class="none"></i>{NONE} '
            f"<small>{share}</small></li>"
        )
    return f'<ul class="emo-legend">{"".join(items)}</ul>'


def _key(timeline: Timeline) -> str:
    """Say what is drawn."""
    used = any(known.used for known in timeline.baselines)
    neutral = "; after the slash, that of the person's own neutral face" if used else ""
    return (
        '<details class="emo-key" open><summary>How to read this</summary><ul>'
        f"<li>Numbers beside labels: the score over all of the video{neutral}. Scores are shares "
        "among these labels and sum to 1.</li>"
        "<li>Strip: the label that fits best at each time; "
        f'<i class="none"></i> {NONE}: no label fits well enough.</li>'
        f"<li>Lines: the score in windows of {timeline.window:g} s, one every {timeline.step:g} s. "
        "Point at them to read it, click to go there.</li></ul></details>"
    )


def _notes(timeline: Timeline) -> str:
    """Say what each person is compared with, and which labels are not read as what they say."""
    lines = [known.sentence() for known in timeline.baselines]
    unsure = {k: v for k, v in timeline.reliability.items() if v.level != "measured"}
    lines += reliability_lines(unsure)
    return "".join(f'<p class="emo-note">{escape(line)}</p>' for line in lines)
