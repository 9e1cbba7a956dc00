"""Best labels as RTTM (Rich Transcription Time Marked), the format of diarization tools."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from .files import plain_text
from .intervals import label_intervals

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["rttm"]


def rttm(timeline: ScoredWindows) -> str:
    """Return RTTM lines: named ``face0/label`` or ``face0,Anna/label``, with the mean score."""
    file = _word(Path(timeline.source).stem or "video")
    lines = [
        (interval.start, face, interval)
        for face, face_intervals in label_intervals(timeline).items()
        for interval in face_intervals
    ]
    return "".join(
        f"SPEAKER {file} 1 {start / 1000:.3f} {(interval.end - start) / 1000:.3f} <NA> <NA> "
        f"{_name(timeline, face)}/{_word(interval.label)} {interval.score:.3f} <NA>\n"
        for start, face, interval in sorted(lines, key=lambda line: line[:2])
    )


def _name(timeline: ScoredWindows, face: int) -> str:
    person = timeline.people.get(face)
    return f"face{face}" + (f",{_word(person.name)}" if person and person.name else "")


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", plain_text(text))
