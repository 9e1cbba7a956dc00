"""Events of a study, such as trials: what each face showed in each of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import EmoCLIPError
from ..video import microseconds
from .analysis import Cell, Episode, cells, episodes
from .numbers import json_value
from .records import FAILED, LOW_QUALITY, NO_FACE, NOBODY, OK, OUT_OF_VIEW, SPEECH, Gap, Status
from .scored_windows import ScoredWindows, spoken_columns
from .silence import spoken_event
from .tables import label_columns

__all__ = [
    "Event",
    "EventScores",
    "cells_inside",
    "event_scores",
    "gap_reason",
    "problem_of",
    "whole_event",
]

_EPS = 1e-6  # seconds


@dataclass(frozen=True)
class Event:
    """A stretch of a video that has a meaning: a trial, a question, a stimulus.

    Parameters
    ----------
    start, end : float
        Seconds on the clock of the file; infinity: where it ends.
    name : str, optional
    file : str, optional
        The video, as the list of events names it.
    columns : dict of str to str
        What else the list says of it.

    Raises
    ------
    EmoCLIPError
        It doesn't end after its start.
    """

    start: float
    end: float
    name: str | None = None
    file: str | None = None
    columns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise EmoCLIPError(
                f"an event ends after its start, both in seconds, not {self.start} to {self.end}"
            )


@dataclass(frozen=True)
class EventScores:
    """One face in one event.

    Attributes
    ----------
    event : Event
    track : int, optional
        None: no face can be scored in this time.
    seconds : float
        How long the face was on the screen in this time.
    means, maxima : dict of str to float
        For each label its scores in this time: mean over time, and the highest.
    latencies : dict of str to float
        For each label the seconds from the start of the event to the first episode of it
        (:meth:`Timeline.episodes`); 0 where one is under way then, NaN where none comes.
    reason : {"nobody", "out of view", "low quality", "speech"}, optional
        Why there are no scores; None where there are.
    error : str, optional
        Why the event can't be found in the video.
    action_means, action_maxima : dict of str to float, optional
        The same of each facial action, of head pose and gaze, where the timeline has them; over
        the windows in which they were measured.
    speaking, speaker, text : optional
        Who speaks in this time, where it is known; as in :class:`TimelineRow`.
    """

    event: Event
    track: int | None
    seconds: float
    means: dict[str, float]
    maxima: dict[str, float]
    latencies: dict[str, float]
    reason: Gap | None = None
    error: str | None = None
    action_means: dict[str, float] | None = None
    action_maxima: dict[str, float] | None = None
    speaking: float | None = None
    speaker: str | None = None
    text: str | None = None

    @property
    def status(self) -> Status:
        """``"ok"``, ``"no face"`` or ``"failed"``."""
        if self.error is not None:
            return FAILED
        return NO_FACE if self.track is None else OK

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            name: json_value(vars(value) if name == "event" else value)
            for name, value in vars(self).items()
        }

    def to_record(self, source: str | None = None) -> dict[str, Any]:
        """Return a flat row: three columns per label, two per action, and what the list says."""
        return {
            "source": self.event.file if source is None else source,
            "status": self.status,
            "error": self.error,
            "event": self.event.name,
            "start": self.event.start,
            "end": self.event.end if math.isfinite(self.event.end) else math.nan,
            "track": self.track,
            "reason": self.reason,
            "seconds": self.seconds,
            **label_columns("mean", self.means),
            **label_columns("max", self.maxima),
            **label_columns("latency", self.latencies),
            **label_columns("mean", self.action_means or {}),
            **label_columns("max", self.action_maxima or {}),
            **spoken_columns(self),
            # An empty cell is what is missing in CSV; here that is None.
            **{name: value or None for name, value in self.event.columns.items()},
        }


def event_scores(
    timeline: ScoredWindows,
    events: Iterable[Event],
    threshold: float,
    min_duration: float,
    merge_gap: float,
) -> list[EventScores]:
    """Score each face in each event; see :meth:`Timeline.events`."""
    tracks = cells(timeline)
    by_track: dict[int, list[Episode]] = {track: [] for track in tracks}
    for episode in episodes(timeline, threshold, min_duration, merge_gap):
        by_track[episode.track].append(episode)
    rows = []
    for event in events:
        event = whole_event(timeline, event)
        problem = problem_of(timeline, event)
        faces = []
        if problem is None:
            scored = (
                _face(timeline, event, track, track_cells, by_track[track])
                for track, track_cells in tracks.items()
            )
            faces = [face for face in scored if face is not None]
        rows += [
            spoken_event(each, timeline.speech, event.start, event.end)
            for each in faces or [_nothing(timeline, event, problem)]
        ]
    return rows


def whole_event(timeline: ScoredWindows, event: Event) -> Event:
    """Return an event with an end: one that has none ends with the video."""
    stop = max((row.end for row in timeline.rows), default=math.inf)
    if math.isinf(event.end) and event.start < stop:
        return dataclasses.replace(event, end=stop)
    return event


def problem_of(timeline: ScoredWindows, event: Event) -> str | None:
    """Say why an event can't be found in the video; None if it is there."""
    if timeline.error is not None or not timeline.rows:
        return timeline.error
    begin = min(row.start for row in timeline.rows)
    end = max(row.end for row in timeline.rows)
    if event.start < end - _EPS and event.end > begin + _EPS:
        return None
    return (
        f"the event from {event.start:g} to {event.end:g} s is not in the video, which shows "
        f"pictures from {begin:g} to {end:g} s"
    )


def _face(
    timeline: ScoredWindows,
    event: Event,
    track: int,
    track_cells: Sequence[Cell],
    track_episodes: Sequence[Episode],
) -> EventScores | None:
    """Return what a face shows in an event; None where it is not on the screen."""
    inside = cells_inside(track_cells, event)
    if not inside:
        return None
    labels = timeline.labels
    scores = np.array([[cell.row.scores[label] for label in labels] for cell in inside])
    weights = [cell.end - cell.start for cell in inside]
    latencies = dict.fromkeys(labels, math.nan)
    for episode in reversed(track_episodes):  # they are in order of their onsets
        if episode.offset > event.start + _EPS and episode.onset < event.end - _EPS:
            latencies[episode.label] = microseconds(max(episode.onset - event.start, 0.0))
    return EventScores(
        event,
        track,
        microseconds(sum(weights)),
        dict(zip(labels, np.average(scores, axis=0, weights=weights).tolist(), strict=True)),
        dict(zip(labels, scores.max(axis=0).tolist(), strict=True)),
        latencies,
        **_actions(timeline, inside),
    )


def _actions(timeline: ScoredWindows, inside: Sequence[Cell]) -> dict[str, dict[str, float]]:
    """Return means and maxima of actions as fields; nothing where the timeline has no actions."""
    names = next((list(row.actions) for row in timeline.rows if row.actions is not None), None)
    if names is None:
        return {}
    means, maxima = dict.fromkeys(names, math.nan), dict.fromkeys(names, math.nan)
    for name in names:
        seen = [
            (cell.row.actions[name], cell.end - cell.start)
            for cell in inside
            if cell.row.actions is not None and not math.isnan(cell.row.actions[name])
        ]
        if seen:
            values, weights = zip(*seen, strict=True)
            means[name] = float(np.average(values, weights=weights))
            maxima[name] = max(values)
    return {"action_means": means, "action_maxima": maxima}


def cells_inside(track_cells: Iterable[Cell], event: Event) -> list[Cell]:
    """Return what of the cells of a face lies in an event."""
    cut = (
        Cell(max(cell.start, event.start), min(cell.end, event.end), cell.row)
        for cell in track_cells
    )
    return [cell for cell in cut if cell.end - cell.start > _EPS]


def gap_reason(timeline: ScoredWindows, event: Event) -> Gap:
    """Say why no face can be scored in an event."""
    near = [row for row in timeline.rows if row.start < event.end and row.end > event.start]
    for reason in (SPEECH, LOW_QUALITY):
        if any(row.reason == reason for row in near):
            return reason
    return NOBODY if all(row.track is None for row in near) else OUT_OF_VIEW


def _nothing(timeline: ScoredWindows, event: Event, problem: str | None) -> EventScores:
    nothing = dict.fromkeys(timeline.labels, math.nan)
    reason = gap_reason(timeline, event) if problem is None else None
    seconds = math.nan if problem else 0.0
    return EventScores(
        event,
        None,
        seconds,
        nothing,
        dict(nothing),
        dict(nothing),
        reason,
        problem,
        **_actions(timeline, []),
    )
