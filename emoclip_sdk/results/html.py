"""Small tables and pictures for notebooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

__all__ = ["bars_svg", "html_table"]

_LABELS, _BAR, _ROW = 200, 240, 22  # pixels: names, a score of 1, height of a row
_LETTERS = 28


def html_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table of plain texts, which are escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def bars_svg(scores: Sequence[tuple[str, float]], marked: Collection[str]) -> str:
    """Draw scores in [0, 1] as bars, an SVG image that needs no library; `marked` ones in color."""
    rows = []
    for i, (label, score) in enumerate(scores):
        y = i * _ROW
        name = label if len(label) <= _LETTERS else label[: _LETTERS - 1] + "…"
        color, width = ("#0072b2" if label in marked else "#9aa5b1"), _BAR * score
        rows.append(
            f'<text x="{_LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LABELS}" y="{y + 4}" width="{width:.1f}" height="14" fill="{color}">'
            f"<title>{escape(label)} {score:.3f}</title></rect>"
            f'<text x="{_LABELS + width + 6:.1f}" y="{y + 15}">{score:.2f}</text>'
        )
    width, height = _LABELS + _BAR + 50, _ROW * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
        f'fill="currentColor">{"".join(rows)}</svg>'
    )
