"""Best labels as a TextGrid of Praat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .files import plain_text
from .intervals import Interval, label_intervals, length_ms

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["textgrid"]


def textgrid(timeline: ScoredWindows) -> str:
    """Return a TextGrid in Praat's long text form: an interval tier for each face."""
    end = length_ms(timeline)
    tiers: dict[str, Sequence[Interval]] = {
        plain_text(timeline.face_name(face)): face_intervals
        for face, face_intervals in label_intervals(timeline).items()
    }
    tiers = tiers or {"no face": []}
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end / 1000}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for i, (name, labeled) in enumerate(tiers.items(), 1):
        complete = list(_without_holes(labeled, end))
        lines += [
            f"    item [{i}]:",
            '        class = "IntervalTier"',
            f"        name = {_quoted(name)}",
            "        xmin = 0",
            f"        xmax = {end / 1000}",
            f"        intervals: size = {len(complete)}",
        ]
        for j, (start, stop, label) in enumerate(complete, 1):
            lines += [
                f"        intervals [{j}]:",
                f"            xmin = {start / 1000}",
                f"            xmax = {stop / 1000}",
                f"            text = {_quoted(label)}",
            ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def _without_holes(labeled: Sequence[Interval], end: int) -> Iterator[tuple[int, int, str]]:
    """Put empty intervals where there is none, as a tier of Praat needs them."""
    at = 0
    for interval in labeled:
        if interval.start > at:
            yield at, interval.start, ""
        yield interval.start, interval.end, interval.label
        at = interval.end
    if at < end:
        yield at, end, ""
