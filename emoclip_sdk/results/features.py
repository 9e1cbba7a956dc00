"""The usual dynamics of each face, as statistics want them: level, spread, trend, episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..video import microseconds
from .analysis import (
    Cell,
    Episode,
    cell_weights,
    episodes,
    label_shares,
    summed_cells,
)
from .events import Event, cells_inside, gap_reason, problem_of, whole_event
from .numbers import json_value
from .records import FAILED, NO_FACE, OK, Gap, Status
from .scored_windows import ScoredWindows, spoken_columns
from .silence import spoken_event
from .tables import label_columns

__all__ = ["FaceFeatures", "face_features"]

_KINDS = {
    "mean": "means",
    "sd": "sds",
    "max": "maxima",
    "slope": "slopes",
    "episodes": "episode_counts",
    "episode_seconds": "episode_seconds",
    "share": "shares",
}


@dataclass(frozen=True)
class FaceFeatures:
    """The dynamics of one face, in a whole video or in one event. NaN: missing.

    Only windows in which the face can be scored count, each for the time that it speaks for.

    Attributes
    ----------
    event : Event, optional
        None: all of the video.
    track : int, optional
        None: no face can be scored in this time.
    start, end : float
        Seconds: of the event; without one, when the face was first seen, and last.
    seconds : float
        How long the face was on the screen in this time.
    means, sds, maxima : dict of str to float
        For each label its scores in this time: mean and standard deviation over time, and the
        highest. The deviation of a single window is missing.
    slopes : dict of str to float
        Score per second: of the line of least squares through the scores, each at the middle of
        the time that its window speaks for, weighted by this time. Missing for a single window.
    episode_counts, episode_seconds : dict of str to float
        Number and total length of the episodes of each label (:meth:`Timeline.episodes`). Of one
        that reaches beyond the event, what lies inside.
    shares : dict of str to float
        For each label, the share of `seconds` in which it was the best one.
    reason : {"nobody", "out of view", "low quality", "speech"}, optional
        Why there is nothing; None where there is.
    error : str, optional
        Why the event can't be found in the video, or the video not be read.
    speaking, speaker, text : optional
        Who speaks in this time, where it is known; as in :class:`TimelineRow`.
    """

    event: Event | None
    track: int | None
    start: float
    end: float
    seconds: float
    means: dict[str, float]
    sds: dict[str, float]
    maxima: dict[str, float]
    slopes: dict[str, float]
    episode_counts: dict[str, float]
    episode_seconds: dict[str, float]
    shares: dict[str, float]
    reason: Gap | None = None
    error: str | None = None
    speaking: float | None = None
    speaker: str | None = None
    text: str | None = None

    @property
    def status(self) -> Status:
        """``"ok"``, ``"no face"`` or ``"failed"``."""
        if self.error is not None:
            return FAILED
        return NO_FACE if self.reason is not None else OK

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        event = None if self.event is None else vars(self.event)
        return {
            name: json_value(event if name == "event" else value)
            for name, value in vars(self).items()
        }

    def to_record(self, source: str | None = None) -> dict[str, Any]:
        """Return a flat row, seven columns per label, and what the list says of the event."""
        event = self.event or Event(0.0, math.inf)
        record = {
            "source": event.file if source is None else source,
            "status": self.status,
            "error": self.error,
            "event": event.name,
            "start": self.start,
            "end": self.end if math.isfinite(self.end) else math.nan,
            "track": self.track,
            "reason": self.reason,
            "seconds": self.seconds,
        }
        for kind, field in _KINDS.items():
            record |= label_columns(kind, getattr(self, field))
        record |= spoken_columns(self)
        return record | {name: value or None for name, value in event.columns.items()}


def face_features(
    timeline: ScoredWindows,
    events: Iterable[Event] | None,
    threshold: float,
    min_duration: float,
    merge_gap: float,
) -> list[FaceFeatures]:
    """Sum up the dynamics of each face in each event; see :meth:`Timeline.features`."""
    tracks = summed_cells(timeline)
    by_track: dict[int, list[Episode]] = {track: [] for track in tracks}
    for episode in episodes(timeline, threshold, min_duration, merge_gap):
        by_track[episode.track].append(episode)
    whole = Event(0.0, math.inf)
    rows = []
    for event in [None] if events is None else events:
        span = whole_event(timeline, event or whole)
        problem = timeline.error if event is None else problem_of(timeline, span)
        faces = []
        if problem is None:
            for track, track_cells in tracks.items():
                inside = track_cells if event is None else cells_inside(track_cells, span)
                if inside:
                    faces.append(
                        _face(timeline.labels, event and span, track, inside, by_track[track])
                    )
        if not faces:
            reason = gap_reason(timeline, span) if problem is None else None
            faces.append(_nothing(timeline.labels, event, span, reason, problem))
        rows += [spoken_event(each, timeline.speech, span.start, span.end) for each in faces]
    return rows


def _face(
    labels: Sequence[str],
    event: Event | None,
    track: int,
    inside: Sequence[Cell],
    track_episodes: Sequence[Episode],
) -> FaceFeatures:
    start, end = inside[0].start, inside[-1].end
    if event is not None:
        start, end = event.start, event.end
    weights, seconds = cell_weights(inside)
    scores = np.array([[cell.row.scores[label] for label in labels] for cell in inside])
    times = np.array([(cell.start + cell.end) / 2 for cell in inside])
    means = np.average(scores, axis=0, weights=weights)
    counts: dict[str, float] = dict.fromkeys(labels, 0)  # whole numbers, or NaN where missing
    lengths = dict.fromkeys(labels, 0.0)
    for episode in track_episodes:
        length = min(episode.offset, end) - max(episode.onset, start)
        if length > 0:
            counts[episode.label] += 1
            lengths[episode.label] += length
    lengths = {label: microseconds(length) for label, length in lengths.items()}
    alone = times[0] == times[-1]

    def named(values: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(labels, values.tolist(), strict=True))

    return FaceFeatures(
        event,
        track,
        start,
        end,
        seconds,
        named(means),
        named(
            np.full(len(labels), np.nan)
            if alone
            else np.sqrt(np.average((scores - means) ** 2, axis=0, weights=weights))
        ),
        named(scores.max(axis=0)),
        named(np.full(len(labels), np.nan) if alone else _slopes(times, scores, weights)),
        counts,
        lengths,
        label_shares(labels, inside)[0],
    )


def _slopes(
    times: NDArray[np.float64], scores: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the slopes (N,) of lines through scores (W, N), by weighted least squares."""
    t = times - np.average(times, weights=weights)
    x = scores - np.average(scores, axis=0, weights=weights)
    return np.asarray((weights * t) @ x / ((weights * t) @ t))


def _nothing(
    labels: Sequence[str],
    event: Event | None,
    span: Event,
    reason: Gap | None,
    problem: str | None,
) -> FaceFeatures:
    start, end = (math.nan, math.nan) if event is None else (span.start, span.end)
    seconds = math.nan if problem else 0.0
    missing: dict[str, Any] = {name: dict.fromkeys(labels, math.nan) for name in _KINDS.values()}
    return FaceFeatures(
        event and span, None, start, end, seconds, reason=reason, error=problem, **missing
    )
