"""What a person's face is compared with: its most neutral moment, a span of time, another video.

On sequences that begin neutral, subtracting the neutral face makes its shape tell far more about
the expression. A wrong reference does harm: the middle of an expressive clip is no neutral face. So
``"auto"`` knows when there is none.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..results.baseline import BaselineKind, FaceBaseline
from .action_measures import ACTION_NAMES, MEASURES, named_measures
from .frames import EmbeddedFrame
from .options import ReadOptions
from .stream import VideoFaces
from .windows import belongs

__all__ = [
    "BaselineChoice",
    "BaselinePlan",
    "BaselineRecorder",
    "NeutralSearch",
    "Reference",
    "baseline_kind",
    "check_span",
    "neutral_labels",
    "own_plan",
    "whole_reference",
]

Vector = NDArray[np.float32]
BaselineChoice = Any
"""``"auto"``, a span ``(start, end)`` in seconds, another video, or None."""

NEUTRAL_FRAMES = 4  # that follow one another: half a second at 7 a second
MIN_NEUTRAL = 0.8
MAX_MOVEMENT = 4.0
MAX_YAW = 20.0
MIN_QUALITY = 0.3
_LONGEST = 1.0  # seconds, that these frames may take
_BATCH = 32

_EMOTIONS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
# Eyes move and blink in neutral faces, too.
_FACE = [i for i, name in enumerate(ACTION_NAMES) if not name.startswith(("eyeLook", "eyeBlink"))]
_YAW = MEASURES.index("yaw")


def baseline_kind(choice: BaselineChoice) -> BaselineKind | None:
    """Say which kind of baseline is meant; None where none is.

    Raises
    ------
    EmoCLIPError
        A span that is none.
    """
    if choice is None:
        return None
    if isinstance(choice, str):
        return "auto" if choice == "auto" else "video"
    if isinstance(choice, tuple) and len(choice) == 2:
        try:
            start, end = (float(value) for value in choice)
        except (TypeError, ValueError):
            return "video"
        if not (0 <= start < end):
            raise EmoCLIPError(
                f"a baseline's span is (start, end) in seconds, not {choice!r}"
            ) from None
        return "span"
    return "video"


def check_span(span: tuple[float, float], options: ReadOptions) -> None:
    """Refuse a span of which nothing is in the part that is read.

    Raises
    ------
    EmoCLIPError
    """
    begin, end = options.start or 0.0, math.inf if options.end is None else options.end
    if span[1] <= begin or span[0] >= end:
        raise EmoCLIPError(
            f"the baseline's span, {span[0]:g} to {span[1]:g} s, is not in the part that is read, "
            f"which is from {begin:g} to {options.end or 'the end'}"
        )


@dataclass
class Reference:
    """The frames that a face is compared with.

    Attributes
    ----------
    vectors : list of ndarray (D,)
        Their embeddings.
    times : list of float
        Seconds.
    neutral, movement : float
        See :class:`FaceBaseline`.
    reason : str, optional
        Why there are none.
    """

    vectors: list[Vector] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    neutral: float = math.nan
    movement: float = math.nan
    reason: str | None = None
    _sum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(MEASURES)))
    _n: int = 0

    def add(self, time: float, vector: Vector | None, measures: Vector | None) -> None:
        """Take one more frame."""
        self.times.append(time)
        if vector is not None:
            self.vectors.append(vector)
        if measures is not None:
            self._sum += measures
            self._n += 1

    @property
    def measures(self) -> NDArray[np.float64] | None:
        """Their mean :data:`MEASURES`."""
        return self._sum / self._n if self._n else None

    def baseline(
        self,
        track: int,
        kind: BaselineKind,
        score: Callable[[Sequence[Vector]], dict[str, float]] | None = None,
        source: str | None = None,
    ) -> FaceBaseline:
        """Return what a result says about it; `score` gives the scores of the labels."""
        if self.reason is not None:
            return FaceBaseline(
                track, kind, self.reason, source, neutral=self.neutral, movement=self.movement
            )
        return FaceBaseline(
            track,
            kind,
            source=source,
            start=min(self.times),
            end=max(self.times),
            n_frames=len(self.times),
            neutral=self.neutral,
            movement=self.movement,
            scores=score(self.vectors) if score is not None and self.vectors else None,
            actions=named_measures(self.measures),
        )


class NeutralSearch:
    """Looks for the most neutral moment of each face while frames pass by.

    A moment is `NEUTRAL_FRAMES` sampled frames that follow one another. It counts as neutral where
    the model's score of "neutral" among its own labels is `MIN_NEUTRAL` or more; where blendshapes,
    without those of gaze and blinks, change by no more than `MAX_MOVEMENT` in a second, all of them
    together; where the head is turned to a side by no more than `MAX_YAW` degrees; and where each
    frame has a quality of `MIN_QUALITY`. The best is that of the highest score minus a twentieth of
    the movement.

    The limits are those at which acted clips and clips of nothing but a smile have no such moment,
    and videos that begin neutral or talk in between have theirs where one sees it.

    Parameters
    ----------
    neutral_scores : callable
        W moments, each N embeddings (N, D), to their W scores of "neutral".
    """

    def __init__(
        self, neutral_scores: Callable[[Sequence[Sequence[Vector]]], Sequence[float]]
    ) -> None:
        self._scores = neutral_scores
        self._recent: dict[int, deque[tuple[float, Vector, Vector]]] = {}
        self._waiting: list[tuple[int, float, list[tuple[float, Vector, Vector]]]] = []
        self._best: dict[int, tuple[float, Reference]] = {}
        self._reasons: dict[int, str] = {}

    def see(self, frame: EmbeddedFrame) -> None:
        """Take in the next frame."""
        for track, vector in frame.faces.items():
            self._reasons.setdefault(track, "its shape is never seen for long enough")
            recent = self._recent.setdefault(track, deque(maxlen=NEUTRAL_FRAMES))
            measures, quality = frame.actions.get(track), frame.qualities.get(track)
            if measures is None or (quality is not None and quality.score < MIN_QUALITY):
                recent.clear()
                continue
            recent.append((frame.time, vector, measures))
            if len(recent) < NEUTRAL_FRAMES or frame.time - recent[0][0] > _LONGEST:
                continue
            if abs(np.mean([m[_YAW] for _, _, m in recent])) > MAX_YAW:
                self._reasons[track] = "the head is never turned to the camera and still"
                continue
            movement = _movement(list(recent))
            self._waiting.append((track, movement, list(recent)))
        if len(self._waiting) >= _BATCH:
            self._judge()

    def _judge(self) -> None:
        if not self._waiting:
            return
        scores = self._scores([[v for _, v, _ in moment] for _, _, moment in self._waiting])
        for (track, movement, moment), score in zip(self._waiting, scores, strict=True):
            merit = float(score) - movement / 20
            # What is no baseline is kept, too, where there is nothing better: to say why.
            good = score >= MIN_NEUTRAL and movement <= MAX_MOVEMENT
            rank = merit + (1000 if good else 0)
            if track in self._best and self._best[track][0] >= rank:
                continue
            reason = None
            if not good:
                reason = (
                    f"no neutral moment: at best {score:.2f} neutral with a movement of "
                    f"{movement:.1f}, at {moment[0][0]:.1f} s"
                )
            found = Reference(neutral=float(score), movement=movement, reason=reason)
            for time, vector, measures in moment:
                found.add(time, vector, measures)
            self._best[track] = rank, found
        self._waiting.clear()

    def references(self) -> dict[int, Reference]:
        """Return that of each face that was seen, or why it has none."""
        self._judge()
        missing = {track: Reference(reason=reason) for track, reason in self._reasons.items()}
        return {**missing, **{track: found for track, (_, found) in self._best.items()}}


def _movement(moment: Sequence[tuple[float, Vector, Vector]]) -> float:
    """Return the change of all blendshapes together, in a second."""
    faces = np.stack([measures[_FACE] for _, _, measures in moment]).astype(np.float64)
    seconds = max(moment[-1][0] - moment[0][0], 1e-3)
    return float(np.abs(np.diff(faces, axis=0)).sum() / seconds)


class BaselineRecorder:
    """Collects the references of all faces of a video while its frames pass by.

    Parameters
    ----------
    search : NeutralSearch, optional
        Of ``"auto"``.
    span : (float, float), optional
        Seconds. Neither: everything.
    """

    def __init__(
        self, search: NeutralSearch | None = None, span: tuple[float, float] | None = None
    ) -> None:
        self._search = search
        self._span = span
        self._references: dict[int, Reference] = {}
        self._latest: EmbeddedFrame | None = None  # which is shown until the next one comes
        self._last = -math.inf

    @property
    def is_complete(self) -> bool:
        """Whether the span is over: the frames that come change nothing."""
        return self._span is not None and self._last >= self._span[1]

    def watch(self, frames: Iterable[EmbeddedFrame]) -> Iterator[EmbeddedFrame]:
        """Take in frames while they pass by."""
        for frame in frames:
            self.see(frame)
            yield frame

    def see(self, frame: EmbeddedFrame) -> None:
        """Take in the next frame."""
        self._last = frame.time
        if self._search is not None:
            self._search.see(frame)
            return
        self._end_latest(frame.time)
        self._latest = frame

    def _end_latest(self, until: float) -> None:
        """Add the latest frame where the span shows it, now that its end is known."""
        frame, self._latest = self._latest, None
        if frame is None:
            return
        counts = self._span is None or belongs(frame.time, until, *self._span)
        for track in frame.faces:
            reference = self._references.setdefault(track, Reference())
            if counts:
                reference.add(frame.time, frame.faces[track], frame.actions.get(track))

    def references(self) -> dict[int, Reference]:
        """Return that of each face that was seen, or why it has none."""
        if self._search is not None:
            return self._search.references()
        self._end_latest(math.inf)
        for reference in self._references.values():
            if not reference.times and self._span is not None:
                reference.reason = "this face is not seen in the span"
        return self._references


def neutral_labels(labels: Sequence[str]) -> list[str]:
    """Return the labels among which "neutral" is scored: the model's own."""
    return list(dict.fromkeys([*(labels or _EMOTIONS), "neutral"]))


def whole_reference(video: VideoFaces[EmbeddedFrame]) -> Reference:
    """Read a video, and return the reference that is all of its most prominent face."""
    recorder = BaselineRecorder()
    for frame in video:
        recorder.see(frame)
    best = video.most_prominent
    if best is None:
        return Reference(reason="the other video shows no face")
    return recorder.references()[best]


@dataclass
class BaselinePlan:
    """How the faces of one video get their baselines.

    Attributes
    ----------
    kind : {"auto", "span", "video"}
    recorder : BaselineRecorder, optional
        Sees the video's own frames.
    other : (str, Reference), optional
        Name and reference of another video, which counts for the most prominent face.
    """

    kind: BaselineKind
    recorder: BaselineRecorder | None = None
    other: tuple[str, Reference] | None = None

    def watch(self, frames: Iterable[EmbeddedFrame]) -> Iterable[EmbeddedFrame]:
        """Take in the video's frames while they pass by."""
        return frames if self.recorder is None else self.recorder.watch(frames)

    @property
    def is_known(self) -> bool:
        """Whether the baselines will be no others at the end of a video that was read before."""
        return self.recorder is None or self.recorder.is_complete

    def baselines(
        self,
        video: VideoFaces[Any],
        score: Callable[[Sequence[Vector]], dict[str, float]] | None = None,
    ) -> tuple[FaceBaseline, ...]:
        """Return the baseline of each face of a video that was read to its end."""
        if self.other is None and self.recorder is not None:
            references = sorted(self.recorder.references().items())
            return tuple(found.baseline(track, self.kind, score) for track, found in references)
        assert self.other is not None
        name, found = self.other
        baselines = []
        for track in sorted(track.track for track in video.tracks):
            if track == video.most_prominent:
                baselines.append(found.baseline(track, self.kind, score, name))
            else:
                reason = "the other video counts for the most prominent face"
                baselines.append(FaceBaseline(track, self.kind, reason, name))
        return tuple(baselines)


def own_plan(
    choice: Literal["auto"] | tuple[float, float],
    neutral_scores: Callable[[Sequence[Sequence[Vector]]], Sequence[float]] | None = None,
) -> BaselinePlan:
    """Return the plan of baselines that are in the video itself.

    Parameters
    ----------
    choice : {"auto"} or (float, float)
        The most neutral moment of each face, or a span of seconds.
    neutral_scores : callable, optional
        Of ``"auto"``; see :class:`NeutralSearch`.
    """
    if choice == "auto":
        assert neutral_scores is not None
        return BaselinePlan("auto", BaselineRecorder(NeutralSearch(neutral_scores)))
    start, end = choice
    return BaselinePlan("span", BaselineRecorder(span=(float(start), float(end))))
