"""Best labels as subtitles: WebVTT and SRT."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .files import plain_text
from .intervals import Interval, label_intervals

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["srt", "webvtt"]


def webvtt(timeline: ScoredWindows) -> str:
    """Return WebVTT; several faces share a cue, a line and a voice each."""
    source = html.escape(plain_text(timeline.source), quote=False)
    cues = ["WEBVTT", f"NOTE\nApparent expression in {source}"]
    by_face = label_intervals(timeline)
    voices = {face: html.escape(name) for face, name in _names(timeline, by_face).items()}
    for start, end, labels in _cues(by_face):
        lines = [f"<v {voices[face]}>{html.escape(label, quote=False)}" for face, label in labels]
        cues.append("\n".join([f"{_clock(start, '.')} --> {_clock(end, '.')}", *lines]))
    return "\n\n".join(cues) + "\n"


def srt(timeline: ScoredWindows) -> str:
    """Return SRT; several faces share a subtitle, a line each."""
    by_face = label_intervals(timeline)
    names = _names(timeline, by_face)
    cues = []
    for i, (start, end, labels) in enumerate(_cues(by_face), 1):
        lines = [f"{names[face]}: {label}" if len(names) > 1 else label for face, label in labels]
        cues.append("\n".join([f"{i}", f"{_clock(start, ',')} --> {_clock(end, ',')}", *lines]))
    return "".join(cue + "\n\n" for cue in cues)


def _names(timeline: ScoredWindows, faces: Iterable[int]) -> dict[int, str]:
    return {face: plain_text(timeline.face_name(face)) for face in faces}


def _cues(
    by_face: Mapping[int, Sequence[Interval]],
) -> Iterator[tuple[int, int, list[tuple[int, str]]]]:
    """Cut time wherever the label of any face changes: players show one cue at a time well."""
    changes: dict[int, dict[int, str | None]] = {}
    for face, face_intervals in by_face.items():
        for interval in face_intervals:
            changes.setdefault(interval.start, {})[face] = interval.label
            changes.setdefault(interval.end, {}).setdefault(face, None)
    current: dict[int, str | None] = {}
    for start, end in itertools.pairwise(sorted(changes)):
        current.update(changes[start])
        labels = [(face, label) for face, label in sorted(current.items()) if label is not None]
        if labels:
            yield start, end, labels


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"
