"""What is done with each video of a batch once its faces are embedded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..inference.scorer import Scorer
from ..inference.stream import FaceStream, TrackChoice, choose_tracks
from ..results.records import FaceTrack, Prediction
from ..results.timeline import Timeline

__all__ = ["BatchTask", "ClipTask", "WindowTask", "prominent_track"]

R_co = TypeVar("R_co", covariant=True)


class BatchTask(Protocol[R_co]):
    """From the faces of a video to a result. A dataclass: it is sent to other machines."""

    @property
    def scorer(self) -> Scorer:
        """Scores the labels."""

    @property
    def needs_boxes(self) -> bool:
        """Whether the result tells where faces are."""

    def result(self, path: str, video: FaceStream) -> R_co:
        """Read a video to its end.

        Raises
        ------
        VideoError
            There are faces, but not the one that is asked for.
        """

    def failed(self, path: str, reason: str) -> R_co:
        """Return the result of a video that can't be read."""


@dataclass(frozen=True)
class ClipTask:
    """Score a video as a whole, as :meth:`EmoCLIP.classify` does.

    Its result is a list: one prediction for each face that is asked for.
    """

    scorer: Scorer
    track: TrackChoice = "prominent"
    needs_boxes: bool = False

    def result(self, path: str, video: FaceStream) -> list[Prediction]:
        """Return the predictions; see :class:`BatchTask`."""
        predictions = self.scorer.predictions(video, self.track, video.has_actions)
        return [dataclasses.replace(prediction, source=path) for prediction in predictions]

    def failed(self, path: str, reason: str) -> list[Prediction]:
        """Return one prediction that says so."""
        return [self.scorer.empty(path, error=reason)]


@dataclass(frozen=True)
class WindowTask:
    """Score windows of a video, as :meth:`EmoCLIP.timeline` does.

    Its result is a timeline; of some faces alone, their rows and those where nobody is.
    """

    scorer: Scorer
    window: float
    step: float
    track: TrackChoice = "all"
    needs_boxes: bool = True

    def result(self, path: str, video: FaceStream) -> Timeline:
        """Return the timeline; see :class:`BatchTask`."""
        timeline = self.scorer.timeline(video, self.window, self.step, video.has_actions)
        chosen = [None, *choose_tracks(video, self.track)]
        rows = tuple(row for row in timeline.rows if row.track in chosen)
        return dataclasses.replace(timeline, source=path, rows=rows, paths={})

    def failed(self, path: str, reason: str) -> Timeline:
        """Return a timeline that says so."""
        return self.scorer.unread_timeline(path, reason, self.window, self.step)


def prominent_track(tracks: Sequence[FaceTrack]) -> int | None:
    """Return the most prominent of the faces of a video, the earlier one if equal."""
    best = max(tracks, key=lambda face: (face.prominence, -face.track), default=None)
    return None if best is None else best.track
