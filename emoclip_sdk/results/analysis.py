"""What can be told of a timeline: runs of a label, episodes, summaries, other steps of time.

A window speaks only for time in which the face was on the screen. Windows may overlap: each one
speaks for the time that is nearer to its middle than to that of its neighbors, which cuts the time
of a face into cells that don't overlap.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import QualityMean
from ..video import microseconds
from .baseline import FaceBaseline, changes
from .numbers import json_value
from .records import LOW_QUALITY, NOBODY, OUT_OF_VIEW, SPEECH, Gap
from .reliability import judged
from .scored_windows import ScoredWindows, TimelineRow
from .silence import spoken
from .tables import FlatResult, label_columns

__all__ = [
    "Cell",
    "Episode",
    "Run",
    "TrackSummary",
    "cell_weights",
    "cells",
    "compared",
    "compared_row",
    "episodes",
    "label_shares",
    "resampled",
    "runs",
    "smoothed",
    "sorted_rows",
    "summary",
    "summed_cells",
]

_EPS = 1e-6  # seconds

Windows = TypeVar("Windows", bound=ScoredWindows)


@dataclass(frozen=True)
class Cell:
    """The time that a window speaks for. Cells of a track follow one another in time."""

    start: float
    end: float
    row: TimelineRow


@dataclass(frozen=True)
class Run:
    """A stretch in which one label stays the best one.

    Attributes
    ----------
    track : int
    label : str
    start, end : float
        Seconds.
    score : float
        Mean score of the label.
    """

    track: int
    label: str
    start: float
    end: float
    score: float


@dataclass(frozen=True)
class Episode(FlatResult):
    """A stretch in which the score of one label stays above a threshold.

    Attributes
    ----------
    track : int
    label : str
    onset, apex, offset : float
        Seconds: where it begins, where the score is highest, where it ends.
    peak : float
        The highest score.
    mean : float
        Mean score.
    """

    track: int
    label: str
    onset: float
    apex: float
    offset: float
    peak: float
    mean: float


@dataclass(frozen=True)
class TrackSummary:
    """One face over the whole of a timeline.

    Attributes
    ----------
    track : int
    start, end : float
        Seconds: when the face was first seen, and last.
    seconds : float
        How long it was seen.
    shares : dict of str to float
        For each label, the share of this time in which it was the best one.
    abstained_share : float
        The share in which none of the labels fitted. With `shares` it sums to 1.
    scores, similarities : dict of str to float
        Means over time.
    """

    track: int
    start: float
    end: float
    seconds: float
    shares: dict[str, float]
    abstained_share: float
    scores: dict[str, float]
    similarities: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items()}

    def to_record(self) -> dict[str, Any]:
        """Return a flat row, three columns per label."""
        return {
            "track": self.track,
            "start": self.start,
            "end": self.end,
            "seconds": self.seconds,
            "abstained_share": self.abstained_share,
            **label_columns("share", self.shares),
            **label_columns("score", self.scores),
            **label_columns("similarity", self.similarities),
        }


def cells(timeline: ScoredWindows) -> dict[int, list[Cell]]:
    """Return the cells of each face, without gaps."""
    return {track: list(_cells(rows)) for track, rows in _by_track(timeline).items()}


def summed_cells(timeline: ScoredWindows) -> dict[int, list[Cell]]:
    """Return the cells of each face, those of a picture too, which takes no time."""
    return {
        track: list(_cells(rows)) or _instants(rows) for track, rows in _by_track(timeline).items()
    }


def _by_track(timeline: ScoredWindows) -> dict[int, list[TimelineRow]]:
    tracks: dict[int, list[TimelineRow]] = {}
    for row in timeline.rows:
        if row.track is not None:
            tracks.setdefault(row.track, []).append(row)
    return {track: sorted(rows, key=lambda r: r.start) for track, rows in sorted(tracks.items())}


def _cells(rows: Sequence[TimelineRow]) -> Iterator[Cell]:
    present = [row for row in rows if row.sights]
    # Between two windows that overlap, time is divided half-way between their middles.
    borders = [
        min(max((_middle(row) + _middle(after)) / 2, after.start), max(row.end, after.start))
        for row, after in itertools.pairwise(present)
    ]
    for i, row in enumerate(present):
        if not row.face_found:
            continue
        low = borders[i - 1] if i else -math.inf
        high = borders[i] if i < len(borders) else math.inf
        for begin, stop in row.sights:
            start, end = microseconds(max(begin, low)), microseconds(min(stop, high))
            if end - start > _EPS:
                yield Cell(start, end, row)


def _middle(row: TimelineRow) -> float:
    return (row.start + row.end) / 2


def runs(timeline: ScoredWindows) -> dict[int, list[Run]]:
    """Return for each face the stretches of its best label, where the model did not abstain."""
    return {
        track: [_run(track, group) for group in _same_label(track_cells)]
        for track, track_cells in cells(timeline).items()
    }


def _same_label(track_cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    group: list[Cell] = []
    for cell in track_cells:
        if cell.row.abstained:
            continue
        gap = group and cell.start - group[-1].end > _EPS
        if group and (gap or cell.row.label != group[0].row.label):
            yield group
            group = []
        group.append(cell)
    if group:
        yield group


def _run(track: int, group: Sequence[Cell]) -> Run:
    label = str(group[0].row.label)
    return Run(track, label, group[0].start, group[-1].end, _mean_score(group, label))


def _mean_score(group: Sequence[Cell], label: str) -> float:
    weights = [cell.end - cell.start for cell in group]
    return float(np.average([cell.row.scores[label] for cell in group], weights=weights))


def episodes(
    timeline: ScoredWindows, threshold: float, min_duration: float, merge_gap: float
) -> list[Episode]:
    """Find the episodes of each label; see :meth:`Timeline.episodes`."""
    if not 0 <= threshold <= 1:
        raise EmoCLIPError(f"threshold is a score in [0, 1], not {threshold}")
    if not (min_duration >= 0 and merge_gap >= 0):
        raise EmoCLIPError(
            f"min_duration and merge_gap are seconds and can't be negative: {min_duration} and "
            f"{merge_gap}"
        )
    matches = []
    for track, track_cells in cells(timeline).items():
        for label in timeline.labels:
            groups: list[list[Cell]] = []
            for cell in track_cells:
                if cell.row.abstained or cell.row.scores[label] < threshold:
                    continue
                if groups and cell.start - groups[-1][-1].end < merge_gap + _EPS:
                    groups[-1].append(cell)
                else:
                    groups.append([cell])
            for group in groups:
                onset, offset = group[0].start, group[-1].end
                if offset - onset < min_duration - _EPS:
                    continue
                best = max(group, key=lambda cell: cell.row.scores[label])
                apex = microseconds((best.start + best.end) / 2)
                mean = _mean_score(group, label)
                peak = best.row.scores[label]
                matches.append(Episode(track, label, onset, apex, offset, peak, mean))
    return sorted(matches, key=lambda e: (e.track, e.onset, timeline.labels.index(e.label)))


def summary(timeline: ScoredWindows) -> list[TrackSummary]:
    """Sum up each face; see :meth:`Timeline.summary`."""
    summaries = []
    for track, track_cells in summed_cells(timeline).items():
        if not track_cells:
            continue
        weights, seconds = cell_weights(track_cells)
        shares, abstained = label_shares(timeline.labels, track_cells)
        mean = _averaged(timeline.labels, [cell.row for cell in track_cells], weights)
        summaries.append(
            TrackSummary(
                track,
                track_cells[0].start,
                track_cells[-1].end,
                seconds,
                shares,
                abstained,
                mean["scores"],
                mean["similarities"],
            )
        )
    return summaries


def _instants(rows: Sequence[TimelineRow]) -> list[Cell]:
    """Return the cells of a picture, which takes no time."""
    return [
        Cell(row.start, row.end, row) for row in rows if row.face_found and row.start == row.end
    ]


def cell_weights(track_cells: Sequence[Cell]) -> tuple[NDArray[np.float64], float]:
    """Return what each cell counts for in a mean over time, and the seconds of all."""
    weights = np.array([cell.end - cell.start for cell in track_cells])
    seconds = microseconds(float(weights.sum()))
    return (weights if seconds else np.ones(len(track_cells))), seconds


def label_shares(
    labels: Sequence[str], track_cells: Sequence[Cell]
) -> tuple[dict[str, float], float]:
    """Return the share of time in which each label is the best, and in which none fitted."""
    weights, _ = cell_weights(track_cells)
    shares = dict.fromkeys(labels, 0.0)
    abstained = 0.0
    for cell, weight in zip(track_cells, (weights / weights.sum()).tolist(), strict=True):
        if cell.row.abstained:
            abstained += weight
        else:
            shares[str(cell.row.label)] += weight
    return shares, abstained


def _averaged(
    labels: Sequence[str], rows: Sequence[TimelineRow], weights: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the weighted means of scores, similarities and confidence."""

    def mean(values: Sequence[Any]) -> NDArray[np.float64]:
        return np.asarray(np.average(np.asarray(values, float), axis=0, weights=weights))

    scores = mean([[row.scores[label] for label in labels] for row in rows])
    similarities = mean([[row.similarities[label] for label in labels] for row in rows])
    known = [
        (row.actions, weight)
        for row, weight in zip(rows, weights, strict=True)
        if row.actions and not any(map(math.isnan, row.actions.values()))
    ]
    actions = rows[0].actions
    if known:
        means = np.average(
            [list(a.values()) for a, _ in known], axis=0, weights=[weight for _, weight in known]
        )
        actions = dict(zip(known[0][0], means.tolist(), strict=True))
    return {
        "actions": actions,
        "scores": dict(zip(labels, scores.tolist(), strict=True)),
        "similarities": dict(zip(labels, similarities.tolist(), strict=True)),
        "confidence": float(mean([row.confidence for row in rows])),
    }


def _verdict(timeline: ScoredWindows, mean: dict[str, Any]) -> dict[str, Any]:
    return judged(
        mean["scores"],
        mean["confidence"],
        timeline.min_score,
        timeline.margin,
        timeline.reliability,
        timeline.multi_label,
    )


def smoothed(timeline: Windows, seconds: float) -> Windows:
    """Average over neighboring windows; see :meth:`Timeline.smooth`."""
    _check_seconds("smooth", seconds)
    rows: list[TimelineRow] = [row for row in timeline.rows if row.track is None]
    for track_rows in _by_track(timeline).values():
        seen = [row for row in track_rows if row.face_found]
        middles = np.array([_middle(row) for row in seen])
        for row in track_rows:
            if row.face_found:
                low, high = _middle(row) - seconds / 2 - _EPS, _middle(row) + seconds / 2 + _EPS
                near = seen[np.searchsorted(middles, low) : np.searchsorted(middles, high)]
                mean = _averaged(timeline.labels, near, np.ones(len(near)))
                row = dataclasses.replace(row, **mean, **_verdict(timeline, mean))
            rows.append(row)
    return _compared_anew(dataclasses.replace(timeline, rows=sorted_rows(rows)))


def _compared_anew(timeline: Windows) -> Windows:
    return compared(timeline, timeline.baselines) if timeline.baselines else timeline


def resampled(timeline: Windows, step: float) -> Windows:
    """Lay windows of another length over a timeline; see :meth:`Timeline.resample`."""
    _check_seconds("resample", step)
    if not timeline.rows:
        return dataclasses.replace(timeline, window=step, step=step)
    begin = min(row.start for row in timeline.rows)
    end = max(row.end for row in timeline.rows)

    def slot(k: int) -> tuple[float, float]:
        return microseconds(max(k * step, begin)), microseconds(min((k + 1) * step, end))

    rows: list[TimelineRow] = []
    occupied: set[int] = set()
    by_track = _by_track(timeline)
    for track, track_cells in cells(timeline).items():
        unclear = [row for row in by_track[track] if row.reason in (LOW_QUALITY, SPEECH)]
        ends = np.array([cell.end for cell in track_cells])
        starts = np.array([cell.start for cell in track_cells])
        first_seen = [*starts[:1], *(row.sights[0][0] for row in unclear[:1])]
        last_seen = [*ends[-1:], *(row.sights[-1][1] for row in unclear[-1:])]
        ks = _slots(min(first_seen), max(last_seen), step) if first_seen else range(0)
        for k in ks:
            start, stop = slot(k)
            first = int(np.searchsorted(ends, start + _EPS))
            last = int(np.searchsorted(starts, stop - _EPS))
            if first < last:
                group = track_cells[first:last]
                rows.append(_resampled_row(timeline, track, start, stop, group))
            else:
                reasons = {
                    row.reason
                    for row in unclear
                    if any(a < stop and b > start for a, b in row.sights)
                }
                reason = next((r for r in (SPEECH, LOW_QUALITY) if r in reasons), OUT_OF_VIEW)
                rows.append(_gap(timeline, track, start, stop, reason))
        occupied.update(ks)
    nobody: set[int] = set()
    for row in timeline.rows:
        nobody.update(_slots(row.start, row.end, step))
    for k in nobody - occupied:
        rows.append(_gap(timeline, None, *slot(k), NOBODY))
    resampled = dataclasses.replace(timeline, window=step, step=step, rows=sorted_rows(rows))
    if people := timeline.people:
        resampled = resampled.with_people(people)
    if timeline.speech is not None:
        resampled = spoken(resampled, timeline.speech)
    return _compared_anew(resampled)


def _slots(start: float, end: float, step: float) -> range:
    return range(math.floor((start + _EPS) / step), math.floor((end - _EPS) / step) + 1)


def _gap(
    timeline: ScoredWindows, track: int | None, start: float, end: float, reason: Gap
) -> TimelineRow:
    nothing = dict.fromkeys(timeline.labels, math.nan)
    asked = next((row.actions for row in timeline.rows if row.actions is not None), None)
    actions = None if asked is None else dict.fromkeys(asked, math.nan)
    return TimelineRow(track, start, end, 0, nothing, dict(nothing), reason=reason, actions=actions)


def _resampled_row(
    timeline: ScoredWindows, track: int, start: float, stop: float, group: Sequence[Cell]
) -> TimelineRow:
    weights = np.array([min(c.end, stop) - max(c.start, start) for c in group])
    rows = [cell.row for cell in group]
    mean = _averaged(timeline.labels, rows, weights)
    # A window's frames are spread over all that it saw, also over what other cells cover.
    frames = sum(
        w * row.n_frames / max(sum(b - a for a, b in row.sights), _EPS)
        for w, row in zip(weights, rows, strict=True)
    )
    located = [(row, w) for row, w in zip(rows, weights, strict=True) if row.box is not None]
    box, sure = None, math.nan
    if located:
        shares = [w for _, w in located]
        x0, y0, x1, y1 = np.average([row.box for row, _ in located], axis=0, weights=shares)
        box = (float(x0), float(y0), float(x1), float(y1))
        sure = float(np.average([row.detection_confidence for row, _ in located], weights=shares))
    quality = QualityMean()
    for row, weight in zip(rows, weights, strict=True):
        if row.quality is not None:
            quality.add(row.quality, weight)
    return TimelineRow(
        track,
        start,
        stop,
        max(1, round(frames)),
        **mean,
        **_verdict(timeline, mean),
        box=box,
        detection_confidence=sure,
        quality=quality.mean(),
        seen=_joined((max(c.start, start), min(c.end, stop)) for c in group),
    )


def _joined(stretches: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join stretches of time, in order, that touch."""
    joined: list[tuple[float, float]] = []
    for begin, end in stretches:
        if joined and begin - joined[-1][1] < _EPS:
            begin = joined.pop()[0]
        joined.append((begin, end))
    return tuple(joined)


def compared(timeline: Windows, baselines: Sequence[FaceBaseline]) -> Windows:
    """Say in every row what differs from the baseline of its face."""
    rows = tuple(compared_row(row, baselines) for row in timeline.rows)
    return dataclasses.replace(timeline, rows=rows, baselines=tuple(baselines))


def compared_row(row: TimelineRow, baselines: Sequence[FaceBaseline]) -> TimelineRow:
    """Say in one row what differs from the baseline of its face."""
    used = (baseline for baseline in baselines if baseline.used and baseline.track == row.track)
    known = next(used, None)
    scores, actions = (known.scores, known.actions) if known else (None, None)
    return dataclasses.replace(
        row,
        baseline=known.kind if known and row.face_found else None,
        score_changes=changes(row.scores, scores),
        action_changes=None if row.actions is None else changes(row.actions, actions),
    )


def sorted_rows(rows: Iterable[TimelineRow]) -> tuple[TimelineRow, ...]:
    """Sort rows by track, then by time; where nobody is, at the end."""
    return tuple(sorted(rows, key=lambda row: (row.track is None, row.track or 0, row.start)))


def _check_seconds(what: str, seconds: float) -> None:
    if not (seconds > 0 and math.isfinite(seconds)):
        raise EmoCLIPError(f"{what} takes a positive number of seconds, not {seconds}")
