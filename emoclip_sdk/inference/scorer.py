"""From embeddings to results: cosine similarity, the softmax of eq. 1, rows of a timeline."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..prompts import LabelText
from ..results.analysis import compared, compared_row, sorted_rows
from ..results.baseline import FaceBaseline
from ..results.records import LOW_QUALITY, NOBODY, OUT_OF_VIEW, Gap, ModelInfo, Prediction
from ..results.reliability import LabelReliability, judged
from ..results.scored_windows import TimelineRow
from ..results.timeline import Timeline
from .action_measures import named_measures
from .baseline import BaselinePlan
from .clips import pool_clips, track_clips
from .frames import EmbeddedFrame
from .paths import PathRecorder
from .presence import LabelPresence
from .quality import QualityFilter
from .stream import FaceStream, TrackChoice, choose_tracks
from .window_budget import WindowBudget
from .windows import WindowClip, windows

__all__ = ["Scorer", "cosine_similarities", "softmax_scores"]

_BATCH = 32  # windows


def cosine_similarities(
    video: NDArray[np.floating[Any]], text: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Compare clips (B, D) with labels (N, D), both unnormalized: (B, N) in [-1, 1]."""
    v = np.asarray(video, np.float64)
    t = np.asarray(text, np.float64)
    v = v / np.linalg.norm(v, axis=1, keepdims=True)
    t = t / np.linalg.norm(t, axis=1, keepdims=True)
    return np.asarray(v @ t.T)


def softmax_scores(
    similarities: NDArray[np.floating[Any]], logit_scale: float
) -> NDArray[np.float64]:
    """Turn cosine similarities (B, N) to scores (B, N) that sum to 1 over the labels (eq. 1)."""
    logits = logit_scale * np.asarray(similarities, np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    exp = np.exp(logits)
    return np.asarray(exp / exp.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Scorer:
    """Scores a fixed set of labels on any number of videos.

    Attributes
    ----------
    vectors : ndarray, (N, D)
        Label embeddings, unnormalized.
    texts : sequence of LabelText
        What the N labels became.
    pool : callable
        Frame embeddings (M, D) and clips (rows of them, -1 in gaps) to clip embeddings (W, D).
    logit_scale : float
        Inverse temperature of eq. 1, calibrated.
    n_frames : int
        Frames of the model's span.
    model : ModelInfo
    reference : ndarray, (R, D)
        Embeddings of the model's own labels, which compete for the confidence.
    min_score : float
        A confidence below abstains.
    min_quality : float
        Frames and windows in which a face is seen less well are not scored.
    margin : float
        Labels whose scores differ by a factor of less than exp(margin) can't be told apart.
    reliability : dict of str to LabelReliability
        How far each label can be trusted.
    presence : LabelPresence, optional
        Each label is scored against its absence, by its own curve. None: against the others.
    """

    vectors: NDArray[np.float32]
    texts: Sequence[LabelText]
    pool: Callable[[NDArray[np.float32], Sequence[Sequence[int]]], NDArray[np.float32]]
    logit_scale: float
    n_frames: int
    model: ModelInfo
    reference: NDArray[np.float32]
    min_score: float
    min_quality: float = 0.0
    margin: float = 0.0
    reliability: dict[str, LabelReliability] = field(default_factory=dict)
    presence: LabelPresence | None = None

    @property
    def multi_label(self) -> bool:
        """Whether each label is scored against its absence."""
        return self.presence is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the caller's wording."""
        return tuple(text.label for text in self.texts)

    @property
    def prompts(self) -> dict[str, str]:
        """What each label was turned into."""
        return {text.label: text.kind for text in self.texts}

    def predictions(
        self, video: FaceStream, track: TrackChoice, actions: bool = False
    ) -> list[Prediction]:
        """Read a video and score the tracks that `track` means, each clip by clip, averaged.

        Without a face: one prediction that says so. With `actions`, they have their means.
        """
        clear = QualityFilter(self.min_quality)
        clips = track_clips(clear(video), self.n_frames, self.pool)
        seen = {track.track: track.n_frames for track in video.tracks}
        predictions = []
        for chosen in choose_tracks(video, track):
            if chosen in clips:
                prediction = self._prediction(video, chosen, clips[chosen])
            else:
                prediction = dataclasses.replace(
                    self.empty(video.name, video), track=chosen, reason=LOW_QUALITY
                )
            predictions.append(
                dataclasses.replace(
                    prediction,
                    tracks=video.tracks,
                    n_frames=seen[chosen] - len(clear.left_out.get(chosen, ())),
                    quality=clear.quality(chosen),
                    actions=named_measures(clear.measures(chosen)) if actions else None,
                )
            )
        return predictions or [self.empty(video.name, video)]

    def _prediction(self, video: FaceStream, track: int, clips: NDArray[np.float32]) -> Prediction:
        similarities, scores, rivals = self._compare(clips)
        confidence = float(rivals.mean(axis=0).max())
        means = self._named(scores.mean(axis=0))
        return Prediction(
            source=video.name,
            scores=means,
            similarities=self._named(similarities.mean(axis=0)),
            prompts=self.prompts,
            confidence=confidence,
            **self._judged(means, confidence),
            track=track,
            duration=video.duration,
            model=self.model,
            reliability=self.reliability,
            multi_label=self.multi_label,
        )

    def _judged(self, scores: dict[str, float], confidence: float) -> dict[str, Any]:
        return judged(
            scores, confidence, self.min_score, self.margin, self.reliability, self.multi_label
        )

    def empty(
        self, name: str, video: FaceStream | None = None, *, error: str | None = None
    ) -> Prediction:
        """Return the result of a video without a face, or of one that can't be read."""
        nothing = self._named(np.full(len(self.texts), np.nan))
        return Prediction(
            source=name,
            scores=nothing,
            similarities=dict(nothing),
            prompts=self.prompts,
            duration=video.duration if video else None,
            error=error,
            reason=NOBODY if error is None else None,
            model=self.model,
            reliability=self.reliability,
            multi_label=self.multi_label,
        )

    def rows(
        self,
        video: FaceStream,
        window: float,
        step: float,
        actions: bool = False,
        baseline: BaselinePlan | None = None,
    ) -> Iterator[TimelineRow]:
        """Score every track in every window of `window` seconds, one each `step` seconds.

        In order of time, while the video is read. With `actions`, rows have their means. With
        `baseline`, they say what differs from it, and wait until it is known.
        """
        if baseline is None:
            yield from self._rows(video, video, window, step, actions)
            return
        waiting: list[TimelineRow] = []
        baselines: Sequence[FaceBaseline] | None = None
        for row in self._rows(baseline.watch(video), video, window, step, actions):
            waiting.append(row)
            if baselines is None and baseline.is_known:
                baselines = baseline.baselines(video, self._frame_scores)
            if baselines is not None:
                yield from (compared_row(each, baselines) for each in waiting)
                waiting = []
        baselines = baseline.baselines(video, self._frame_scores)
        yield from (compared_row(each, baselines) for each in waiting)

    def _rows(
        self,
        frames: Iterable[EmbeddedFrame],
        video: FaceStream,
        window: float,
        step: float,
        actions: bool,
    ) -> Iterator[TimelineRow]:
        budget = WindowBudget(video.name)
        laid = windows(budget.frames(frames), window, step, self.n_frames, lambda: video.duration)
        clips = itertools.chain.from_iterable(budget.windows(laid))
        while batch := list(itertools.islice(clips, _BATCH)):
            yield from self._scored(batch, actions)

    def moments(self, video: FaceStream, window: float, step: float) -> Iterator[list[TimelineRow]]:
        """Score as :meth:`rows`, but yield each window's rows as soon as it has ended.

        Who is out of view just then has no row.
        """
        for clips in windows(
            video, window, step, self.n_frames, lambda: video.duration, at_once=True
        ):
            yield list(self._scored(clips))

    def timeline(
        self,
        video: FaceStream,
        window: float,
        step: float,
        actions: bool = False,
        baseline: BaselinePlan | None = None,
    ) -> Timeline:
        """Collect :meth:`rows`, in order of tracks, then of time; where nobody is, at the end.

        With `baseline`, they say what differs from it.
        """
        recorder = PathRecorder()
        frames: Iterable[EmbeddedFrame] = recorder.watch(video)
        if baseline is not None:
            frames = baseline.watch(frames)
        rows = sorted_rows(self._rows(frames, video, window, step, actions))
        timeline = Timeline(
            source=video.name,
            labels=self.labels,
            window=window,
            step=step,
            rows=rows,
            prompts=self.prompts,
            tracks=video.tracks,
            duration=video.duration,
            model=self.model,
            min_score=self.min_score,
            min_quality=self.min_quality,
            margin=self.margin,
            reliability=self.reliability,
            multi_label=self.multi_label,
            paths=recorder.paths(),
            origin=video.origin,
        )
        if baseline is None:
            return timeline
        return compared(timeline, baseline.baselines(video, self._frame_scores))

    def _frame_scores(self, vectors: Sequence[NDArray[np.float32]]) -> dict[str, float]:
        """Score frames that are shown one after another, clip by clip."""
        return self._named(self.scores(self.pooled(vectors)).mean(axis=0))

    def pooled(self, vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Pool N frame embeddings (N, D) in clips of the model's span: (W, D)."""
        rows = range(len(vectors))
        clips = [rows[i : i + self.n_frames] for i in range(0, len(rows), self.n_frames)]
        return self.pool(np.stack(vectors), clips)

    def _scored(self, batch: Sequence[WindowClip], actions: bool = False) -> Iterator[TimelineRow]:
        similarities = np.full((len(batch), len(self.texts)), np.nan)
        scores, rivals = similarities.copy(), similarities.copy()
        reasons = [self._gap(window) for window in batch]
        seen = [i for i, reason in enumerate(reasons) if reason is None]
        if seen:
            pooled = pool_clips([batch[i].clip for i in seen], self.pool)
            similarities[seen], scores[seen], rivals[seen] = self._compare(pooled)
        confidence = rivals.max(axis=1)
        for i, window in enumerate(batch):
            named = self._named(scores[i])
            verdict: dict[str, Any] = {}
            if reasons[i] is None:
                verdict = self._judged(named, float(confidence[i]))
            yield TimelineRow(
                window.track,
                window.start,
                window.end,
                window.n_frames,
                named,
                self._named(similarities[i]),
                float(confidence[i]),
                box=window.face.box if window.face else None,
                detection_confidence=window.face.confidence if window.face else float("nan"),
                quality=window.quality,
                reason=reasons[i],
                actions=named_measures(window.actions) if actions else None,
                seen=window.seen,
                **verdict,
                first_frame=window.frames[0] if window.frames else None,
                last_frame=window.frames[1] if window.frames else None,
            )

    def _gap(self, window: WindowClip) -> Gap | None:
        """Say why a window can't be scored; None if it can."""
        if window.track is None:
            return NOBODY
        if not window.n_frames:
            return OUT_OF_VIEW
        if window.quality is not None and window.quality.score < self.min_quality:
            return LOW_QUALITY
        return None

    def unread_timeline(self, name: str, reason: str, window: float, step: float) -> Timeline:
        """Return the timeline of a video that can't be read."""
        return Timeline(
            source=name,
            labels=self.labels,
            window=window,
            step=step,
            rows=(),
            prompts=self.prompts,
            model=self.model,
            min_score=self.min_score,
            min_quality=self.min_quality,
            margin=self.margin,
            reliability=self.reliability,
            multi_label=self.multi_label,
            error=reason,
        )

    def scores(self, clips: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score pooled clips (W, D): (W, N)."""
        return self._compare(clips)[1]

    def neutral_scores(self, moments: Sequence[Sequence[NDArray[np.float32]]]) -> list[float]:
        """Score "neutral", one of the labels, on W moments of frame embeddings."""
        column = self.labels.index("neutral")
        return self.scores(pool_clips(moments, self.pool))[:, column].tolist()

    def _compare(self, clips: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
        """Return similarities, scores, and the labels' scores among the model's own labels too."""
        if self.presence is not None:
            alone = cosine_similarities(clips, self.vectors)
            scores = self.presence.scores(alone)
            return alone, scores, scores
        n = len(self.vectors)
        every = cosine_similarities(clips, np.concatenate([self.vectors, self._rivals()]))
        similarities = every[:, :n]
        rivals = softmax_scores(every, self.logit_scale)[:, :n]
        return similarities, softmax_scores(similarities, self.logit_scale), rivals

    def _rivals(self) -> NDArray[np.float32]:
        """Return those of the model's own labels that are not offered, under whatever name.

        None where only facial actions are offered: a happy face may well have its mouth open.
        """
        known = [self.reliability.get(label) for label in self.labels]
        if not len(self.reference) or all(each and each.auc is not None for each in known):
            return self.vectors[:0]
        same = cosine_similarities(self.reference, self.vectors) > 1 - 1e-6
        return self.reference[~same.any(axis=1)]

    def _named(self, values: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.labels, map(float, values), strict=True))
