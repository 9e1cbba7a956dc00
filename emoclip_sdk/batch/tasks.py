"""What is done with each video of a batch once its faces are embedded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from ..inference.baseline import own_plan
from ..inference.scorer import Scorer
from ..inference.stream import FaceStream, TrackChoice, choose_tracks
from ..results.records import FaceTrack, Prediction
from ..results.timeline import Timeline

__all__ = ["BatchTask", "ClipTask", "WindowTask", "prominent_track"]

R_co = TypeVar("R_co", covariant=True)
Pool = Callable[[Any, Any], Any]  # of a scorer


class BatchTask(Protocol[R_co]):
    """From the faces of a video to a result. It is sent to other machines."""

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

    def with_pool(self, pool: Pool) -> BatchTask[R_co]:
        """Return the same task for a model on another machine."""


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

    def with_pool(self, pool: Pool) -> ClipTask:
        """Return the same with another `pool` of its scorer."""
        return dataclasses.replace(self, scorer=dataclasses.replace(self.scorer, pool=pool))


@dataclass(frozen=True)
class WindowTask:
    """Score windows of a video, as :meth:`EmoCLIP.timeline` does.

    Its result is a timeline; of some faces alone, their rows and those where nobody is.

    Parameters
    ----------
    scorer : Scorer
    window, step : float
        Seconds.
    track
        Whose rows.
    actions : bool
        Rows have the means of actions.
    baseline : {"auto"} or (float, float), optional
        What rows say a difference from, in the video itself.
    neutral : Scorer, optional
        Of "auto": scores "neutral" among the model's own labels.
    """

    scorer: Scorer
    window: float
    step: float
    track: TrackChoice = "all"
    actions: bool = False
    baseline: Literal["auto"] | tuple[float, float] | None = None
    neutral: Scorer | None = None
    needs_boxes: bool = True

    def result(self, path: str, video: FaceStream) -> Timeline:
        """Return the timeline; see :class:`BatchTask`."""
        plan = None
        if self.baseline is not None:
            scores = None if self.neutral is None else self.neutral.neutral_scores
            plan = own_plan(self.baseline, scores)
        timeline = self.scorer.timeline(video, self.window, self.step, self.actions, plan)
        chosen = [None, *choose_tracks(video, self.track)]
        rows = tuple(row for row in timeline.rows if row.track in chosen)
        return dataclasses.replace(timeline, source=path, rows=rows, paths={})

    def failed(self, path: str, reason: str) -> Timeline:
        """Return a timeline that says so."""
        return self.scorer.unread_timeline(path, reason, self.window, self.step)

    def with_pool(self, pool: Pool) -> WindowTask:
        """Return the same with another `pool` of its scorers."""
        scorer = dataclasses.replace(self.scorer, pool=pool)
        neutral = self.neutral and dataclasses.replace(self.neutral, pool=pool)
        return dataclasses.replace(self, scorer=scorer, neutral=neutral)


def prominent_track(tracks: Sequence[FaceTrack]) -> int | None:
    """Return the most prominent of the faces of a video, the earlier one if equal."""
    best = max(tracks, key=lambda face: (face.prominence, -face.track), default=None)
    return None if best is None else best.track
