"""The best label of each face over time as intervals of whole milliseconds.

Within a face nothing overlaps; windows in which the model abstained are left blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..results.analysis import runs
from .files import plain_text

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["Interval", "label_intervals", "length_ms"]


@dataclass(frozen=True)
class Interval:
    """A face's best label from `start` to `end`, in milliseconds, and its mean score."""

    start: int
    end: int
    label: str
    score: float


def label_intervals(timeline: ScoredWindows) -> dict[int, list[Interval]]:
    """Return the intervals of each face, by its number."""
    return {
        track: [
            Interval(
                round(1000 * run.start), round(1000 * run.end), plain_text(run.label), run.score
            )
            for run in track_runs
            if round(1000 * run.end) > round(1000 * run.start)
        ]
        for track, track_runs in runs(timeline).items()
    }


def length_ms(timeline: ScoredWindows) -> int:
    """Return the length of the video in milliseconds, 1 at least."""
    ends = [row.end for row in timeline.rows]
    return max(1, round(1000 * max([timeline.duration or 0.0, *ends])))
