"""Scores while it happens: one result for each window of time, with bounded delay."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from .reading import FaceStream
from .results import ModelInfo, TimelineRow
from .scoring import Scorer
from .video import LiveFrames

__all__ = ["LiveResult", "live_results"]


@dataclass(frozen=True)
class LiveResult:
    """What the faces in front of a camera showed in one window of time.

    Attributes
    ----------
    source : str
        ``"camera 0"``, ``"frames"`` or the name of a file.
    start, end : float
        Seconds from the first frame.
    rows : tuple of TimelineRow
        One for each face in the window; one without a track where nobody is there.
    fps : float
        Frames per second that the model looked at in this window; less than its sampling rate
        where frames were dropped.
    dropped : int
        Frames so far that came while the model was busy, and were left out.
    delay : float
        Seconds from the coming of the frame that ended the window to this result.
    model : ModelInfo
    """

    source: str
    start: float
    end: float
    rows: tuple[TimelineRow, ...]
    fps: float
    dropped: int
    delay: float
    model: ModelInfo

    @property
    def face_found(self) -> bool:
        """Whether somebody is there."""
        return any(row.face_found for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            **{key: getattr(self, key) for key in ("source", "start", "end")},
            "rows": [row.to_dict() for row in self.rows],
            **{key: getattr(self, key) for key in ("fps", "dropped", "delay")},
            "model": vars(self.model).copy(),
        }


def live_results(
    frames: LiveFrames, stream: FaceStream, scorer: Scorer, window: float, step: float
) -> Generator[LiveResult, None, None]:
    """Score windows while `frames`, which `stream` reads, come."""
    try:
        for rows in scorer.moments(stream, window, step):
            start, end = rows[0].start, rows[0].end
            n, delay = frames.since(start, end)
            yield LiveResult(
                frames.name,
                start,
                end,
                tuple(rows),
                n / (end - start),
                frames.dropped,
                delay,
                scorer.model,
            )
    finally:
        frames.stop()
