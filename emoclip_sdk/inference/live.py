"""Scores while it happens: one result for each window of time, with bounded delay."""

from __future__ import annotations

from collections.abc import Generator

from ..results.live import LiveResult
from ..video import LiveFrames
from .scorer import Scorer
from .stream import FaceStream

__all__ = ["live_results"]


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
