"""A small picture of a timeline for notebooks, which needs no matplotlib."""

from __future__ import annotations

from html import escape

from ..results.analysis import cells, runs
from ..results.scored_windows import ScoredWindows
from .files import plain_text
from .style import GRID, INK, MUTED, clock, label_colors

__all__ = ["timeline_svg"]

_LEFT, _WIDTH = 60, 600  # pixels: names of faces, then time
_HEIGHT, _GAP = 18, 6  # of the bar of a face
_MAX_FACES = 12
_LEGEND = 150  # a label's place below


def timeline_svg(timeline: ScoredWindows) -> str:
    """Draw the best label of each face over time as an SVG image; nothing where it abstained.

    A light ground is time in which the face is in view. A label is a tooltip of its bar, too.
    Empty without a face.
    """
    in_view, best, colors = cells(timeline), runs(timeline), label_colors(timeline)
    faces = list(in_view)[:_MAX_FACES]
    end = max((row.end for row in timeline.rows), default=0.0)
    if not faces or not end:
        return ""

    def bar(start: float, stop: float, y: int, color: str, text: str = "") -> str:
        x, width = _LEFT + _WIDTH * start / end, _WIDTH * (stop - start) / end
        title = f"<title>{_text(text)}</title>" if text else ""
        return (
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_HEIGHT}" fill="{color}">'
            f"{title}</rect>"
        )

    parts: list[str] = []
    for i, track in enumerate(faces):
        y = i * (_HEIGHT + _GAP)
        parts.append(f'<text x="0" y="{y + 13}" fill="{INK}">face {track}</text>')
        parts += [bar(cell.start, cell.end, y, GRID) for cell in in_view[track]]
        parts += [
            bar(
                run.start,
                run.end,
                y,
                colors.get(run.label, MUTED),
                f"{run.label} {run.score:.2f}, {clock(run.start)} to {clock(run.end)}",
            )
            for run in best[track]
        ]
    below = len(faces) * (_HEIGHT + _GAP) + 10
    parts.append(f'<text x="{_LEFT}" y="{below}" fill="{INK}">0:00</text>')
    parts.append(
        f'<text x="{_LEFT + _WIDTH}" y="{below}" fill="{INK}" text-anchor="end">{clock(end)}</text>'
    )
    used = {run.label for track in faces for run in best[track]}
    shown = [(label, color) for label, color in colors.items() if label in used]
    for i, (label, color) in enumerate(shown):
        x, y = _LEFT + i % 4 * _LEGEND, below + 8 + i // 4 * 18
        name = label if len(label) <= 20 else label[:19] + "…"
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{color}"/>')
        parts.append(f'<text x="{x + 16}" y="{y + 10}" fill="{INK}">{_text(name)}</text>')
    height = below + 8 + -(-len(shown) // 4) * 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH}" height="{height}" '
        f'style="background:#fff" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _text(text: str) -> str:
    return escape(plain_text(text))
