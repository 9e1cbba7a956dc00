"""Runs of the best label as text: WebVTT, SRT, Praat TextGrid, RTTM.

Times are whole milliseconds. Within a face nothing overlaps; windows in which the model abstained
are left blank.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..results.analysis import runs
from .files import plain

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["Stretch", "end_of", "rttm", "srt", "stretches", "textgrid", "webvtt"]


@dataclass(frozen=True)
class Stretch:
    """A face and its best label from `start` to `end`, in milliseconds."""

    start: int
    end: int
    label: str
    score: float


def stretches(timeline: ScoredWindows) -> dict[int, list[Stretch]]:
    """Return the runs of each face, by its number."""
    return {
        track: [
            Stretch(round(1000 * run.start), round(1000 * run.end), plain(run.label), run.score)
            for run in those
            if round(1000 * run.end) > round(1000 * run.start)
        ]
        for track, those in runs(timeline).items()
    }


def end_of(timeline: ScoredWindows) -> int:
    """Return the length of the video in milliseconds, 1 at least."""
    ends = [row.end for row in timeline.rows]
    return max(1, round(1000 * max([timeline.duration or 0.0, *ends])))


def webvtt(timeline: ScoredWindows) -> str:
    """Return subtitles; several faces share a cue, a line and a voice each."""
    told = ["WEBVTT", f"NOTE\nApparent expression in {html.escape(plain(timeline.source), False)}"]
    for start, end, shown in _cues(stretches(timeline)):
        lines = [f"<v face {face}>{html.escape(label, quote=False)}" for face, label in shown]
        told.append("\n".join([f"{_clock(start, '.')} --> {_clock(end, '.')}", *lines]))
    return "\n\n".join(told) + "\n"


def srt(timeline: ScoredWindows) -> str:
    """Return subtitles; several faces share one, a line each."""
    found = stretches(timeline)
    told = []
    for i, (start, end, shown) in enumerate(_cues(found), 1):
        lines = [f"face {face}: {label}" if len(found) > 1 else label for face, label in shown]
        told.append("\n".join([f"{i}", f"{_clock(start, ',')} --> {_clock(end, ',')}", *lines]))
    return "".join(cue + "\n\n" for cue in told)


def _cues(
    found: Mapping[int, Sequence[Stretch]],
) -> Iterator[tuple[int, int, list[tuple[int, str]]]]:
    """Cut time wherever the label of any face changes: players show one cue at a time well."""
    changes: dict[int, dict[int, str | None]] = {}
    for face, those in found.items():
        for stretch in those:
            changes.setdefault(stretch.start, {})[face] = stretch.label
            changes.setdefault(stretch.end, {}).setdefault(face, None)
    showing: dict[int, str | None] = {}
    times = sorted(changes)
    for start, end in itertools.pairwise(times):
        showing.update(changes[start])
        shown = [(face, label) for face, label in sorted(showing.items()) if label is not None]
        if shown:
            yield start, end, shown


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def textgrid(timeline: ScoredWindows) -> str:
    """Return a TextGrid in Praat's long text form: an interval tier for each face."""
    end = end_of(timeline)
    tiers: dict[str, Sequence[Stretch]] = {
        f"face {face}": those for face, those in stretches(timeline).items()
    }
    tiers = tiers or {"no face": []}
    told = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end / 1000}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for i, (name, those) in enumerate(tiers.items(), 1):
        intervals = list(_filled(those, end))
        told += [
            f"    item [{i}]:",
            '        class = "IntervalTier"',
            f'        name = "{name}"',
            "        xmin = 0",
            f"        xmax = {end / 1000}",
            f"        intervals: size = {len(intervals)}",
        ]
        for j, (start, stop, label) in enumerate(intervals, 1):
            told += [
                f"        intervals [{j}]:",
                f"            xmin = {start / 1000}",
                f"            xmax = {stop / 1000}",
                '            text = "{}"'.format(label.replace('"', '""')),
            ]
    return "\n".join(told) + "\n"


def _filled(those: Sequence[Stretch], end: int) -> Iterator[tuple[int, int, str]]:
    """Put empty intervals where there is none: a tier of Praat has no holes."""
    at = 0
    for stretch in those:
        if stretch.start > at:
            yield at, stretch.start, ""
        yield stretch.start, stretch.end, stretch.label
        at = stretch.end
    if at < end:
        yield at, end, ""


def rttm(timeline: ScoredWindows) -> str:
    """Return RTTM lines: the name is ``face0/label``, the confidence the mean score."""
    file = _word(Path(timeline.source).stem or "video")
    told = [
        (stretch.start, face, stretch)
        for face, those in stretches(timeline).items()
        for stretch in those
    ]
    return "".join(
        f"SPEAKER {file} 1 {start / 1000:.3f} {(stretch.end - start) / 1000:.3f} <NA> <NA> "
        f"face{face}/{_word(stretch.label)} {stretch.score:.3f} <NA>\n"
        for start, face, stretch in sorted(told, key=lambda line: line[:2])
    )


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", plain(text))
