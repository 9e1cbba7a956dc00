"""Windows in which somebody speaks, and those in which nobody does."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeVar

from ..errors import EmoCLIPError
from .records import SPEECH
from .scored_windows import ScoredWindows, TimelineRow
from .speech import Speech

__all__ = ["silent", "silent_row", "spoken", "spoken_event", "spoken_row"]

_SCORED = ("scores", "similarities", "actions", "score_changes", "action_changes")

W = TypeVar("W", bound=ScoredWindows)
E = TypeVar("E", bound=Any)


def spoken(timeline: W, speech: Speech) -> W:
    """Say in every row who speaks in its window; see :meth:`Timeline.with_speech`."""
    rows = tuple(spoken_row(row, speech) for row in timeline.rows)
    return dataclasses.replace(timeline, rows=rows, speech=speech)


def spoken_row(row: TimelineRow, speech: Speech) -> TimelineRow:
    """Say in one row who speaks in its window."""
    return dataclasses.replace(row, **vars(speech.window(row.start, row.end, row.track)))


def silent(timeline: W, max_speaking: float) -> W:
    """Take the scores away where somebody speaks; see :meth:`Timeline.silent`."""
    if timeline.speech is None:
        raise EmoCLIPError(
            f"{timeline.source}: nothing says who speaks: say timeline.with_speech(...) first"
        )
    if not 0 <= max_speaking <= 1:
        raise EmoCLIPError(f"max_speaking is a share of a window in [0, 1], not {max_speaking}")
    rows = tuple(silent_row(row, max_speaking) for row in timeline.rows)
    return dataclasses.replace(timeline, rows=rows)


def silent_row(row: TimelineRow, max_speaking: float = 0.0) -> TimelineRow:
    """Take the scores away in one row, if somebody speaks in its window."""
    if not row.face_found or row.speaking is None or row.speaking <= max_speaking:
        return row
    given = {name: getattr(row, name) for name in _SCORED}
    nothing: dict[str, Any] = {
        name: dict.fromkeys(values, math.nan)
        for name, values in given.items()
        if values is not None
    }
    return dataclasses.replace(
        row,
        **nothing,
        confidence=math.nan,
        abstained=None,
        tied=(),
        present=(),
        baseline=None,
        reason=SPEECH,
    )


def spoken_event(row: E, speech: Speech | None, start: float, end: float) -> E:
    """Say in a row about a stretch of time who speaks in it."""
    if speech is None:
        return row
    if row.error is not None or not math.isfinite(end):
        return dataclasses.replace(row, speaking=math.nan)
    return dataclasses.replace(row, **vars(speech.window(start, end, row.track)))
