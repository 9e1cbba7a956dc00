"""What the charts of the page share: an axis of time, headings, data for the script."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..export.style import time_ticks

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["TimeAxis", "data_attributes", "heading"]


def heading(track: int, more: str) -> str:
    """Return the heading of a face's panel; `more` is HTML."""
    return f"<h3>face {track} <small>{more}</small></h3>"


@dataclass(frozen=True)
class TimeAxis:
    """The time of a chart, from left to right.

    Attributes
    ----------
    begin, end : float
        Seconds on the clock of the video.
    """

    begin: float
    end: float

    @classmethod
    def of(cls, timeline: ScoredWindows, begin: float) -> TimeAxis:
        """Return the axis of a timeline that begins there."""
        end = max([timeline.duration or 0.0, *(row.end for row in timeline.rows)])
        return cls(begin, end if end > begin else begin + 1.0)

    def at(self, time: float) -> float:
        """Return a time in percent of the width."""
        return 100 * (time - self.begin) / (self.end - self.begin)

    def place(self, start: float, end: float) -> str:
        """Return the style of an element that stands for a stretch of time."""
        return f"left: {self.at(start):.2f}%; width: {self.at(end) - self.at(start):.2f}%"

    def ticks(self) -> str:
        """Return times below a chart."""
        times, names = time_ticks(self.begin, self.end, 6)
        if names and self.end < 120:
            names[-1] += " s"
        marks = "".join(
            f'<span style="left: {self.at(time):.2f}%"'
            f"{' class=last' if self.at(time) > 96 else ''}>{name}</span>"
            for time, name in zip(times, names, strict=True)
        )
        return f'<div class="emo-ticks">{marks}</div>'

    def attributes(self) -> str:
        """Return the attributes of a chart whose playheads follow the player."""
        return f'data-begin="{self.begin:.3f}" data-end="{self.end:.3f}"'


def data_attributes(name: str, value: Any) -> str:
    """Return attributes for the script: the value, and a hash by which a change is seen."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f'data-{name}="{escape(text)}" data-mark="{mark}"'
