"""Style of all pictures of results: colors that color-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..results.analysis import cells
from ..results.scored_windows import ScoredWindows
from .files import plain_text

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "OKABE_ITO",
    "clock",
    "drawn_text",
    "label_colors",
    "ranked_labels",
    "time_ticks",
]

OKABE_ITO = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#D55E00",  # vermilion
    "#CC79A7",  # purple
    "#56B4E9",  # sky
    "#B8A800",  # yellow, darker than the original so that it shows on white
    "#4D4D4D",  # black, softened
)
"""Colors of Okabe and Ito (2008), in the order in which they are given to labels."""

INK = "#1f2933"
MUTED = "#9aa5b1"
GRID = "#e4e7eb"


def ranked_labels(timeline: ScoredWindows) -> list[str]:
    """Return the labels, those first that are the best one for the longest, then by mean score."""
    seconds_best = dict.fromkeys(timeline.labels, 0.0)
    total = dict.fromkeys(timeline.labels, 0.0)
    for track_cells in cells(timeline).values():
        for cell in track_cells:
            seconds = cell.end - cell.start
            if not cell.row.abstained:
                seconds_best[str(cell.row.label)] += seconds
            for label, score in cell.row.scores.items():
                total[label] += seconds * score
    return sorted(timeline.labels, key=lambda label: (-seconds_best[label], -total[label]))


def label_colors(timeline: ScoredWindows, among: int = len(OKABE_ITO)) -> dict[str, str]:
    """Give a color to the labels that matter most in a timeline; the others get none."""
    chosen = set(ranked_labels(timeline)[: min(among, len(OKABE_ITO))])
    named = [label for label in timeline.labels if label in chosen]
    return dict(zip(named, OKABE_ITO, strict=False))


def time_ticks(start: float, end: float, n: int = 8) -> tuple[list[float], list[str]]:
    """Return about `n` round times and how they are written: seconds, m:ss or h:mm:ss."""
    steps: Sequence[float] = (
        0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000,
    )  # fmt: skip
    step = next((s for s in steps if (end - start) / s <= n), steps[-1])
    ticks = [float(t) for t in np.arange(np.ceil(start / step), np.floor(end / step) + 1) * step]
    if end < 120:
        return ticks, [f"{t:.1f}" if step < 1 else f"{t:.0f}" for t in ticks]
    return ticks, [clock(t, hours=end >= 3600) for t in ticks]


def clock(seconds: float, *, hours: bool = False) -> str:
    """Return ``1:05``, or ``0:01:05``."""
    whole = round(seconds)
    if hours:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def drawn_text(text: str) -> str:
    """Return a text that matplotlib draws letter by letter.

    Between two dollar signs it reads a formula, and it can't draw control characters and lone
    surrogates. To be called last: a line break between a backslash and its dollar sign would
    make it a formula again.
    """
    lines = text.encode("utf-8", "replace").decode().split("\n")
    return "\n".join(plain_text(line) for line in lines).replace("$", r"\$")
