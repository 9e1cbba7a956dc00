"""What a user gets back: plain data, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..faces import FaceQuality
from .action_words import describe_actions
from .html import bars_svg, html_table
from .numbers import json_value
from .reliability import LabelReliability
from .tables import FlatResult, label_columns, to_pandas

if TYPE_CHECKING:
    import pandas

__all__ = [
    "FAILED",
    "LOW_QUALITY",
    "NOBODY",
    "NO_FACE",
    "OK",
    "OUT_OF_VIEW",
    "SPEECH",
    "FaceTrack",
    "Gap",
    "ModelInfo",
    "Prediction",
    "Status",
    "answer_text",
    "model_record",
    "quality_record",
]

Status = Literal["ok", "no face", "failed"]
"""What has become of a video."""

Gap = Literal["nobody", "out of view", "low quality", "speech"]
"""Why there are no scores: no face in the video or window; this face is away; it is there, but not
seen well enough for `min_quality`, or somebody speaks (:meth:`Timeline.silent`)."""


REPR_LABELS = 3
"""Labels that the text of a prediction shows."""

HTML_LABELS = 8
"""Labels that a notebook shows of a prediction."""

OK: Status = "ok"
NO_FACE: Status = "no face"
FAILED: Status = "failed"
NOBODY: Gap = "nobody"
OUT_OF_VIEW: Gap = "out of view"
LOW_QUALITY: Gap = "low quality"
SPEECH: Gap = "speech"


@dataclass(frozen=True)
class ModelInfo(FlatResult):
    """Which model and which prompts a result comes from.

    Attributes
    ----------
    name : str
        ``"emoclip-mini"``, a baseline, a folder or a Hub repository.
    revision : str, optional
        Commit of a Hub repository.
    prompt_bank : str
        Content hash of the prompt bank.
    """

    name: str
    revision: str | None
    prompt_bank: str

    def to_record(self) -> dict[str, Any]:
        """Return the columns that say where a row of scores comes from."""
        return {"model": self.name, "revision": self.revision, "prompt_bank": self.prompt_bank}


@dataclass(frozen=True)
class FaceTrack(FlatResult):
    """One person in a video.

    Attributes
    ----------
    track : int
        Number in the order of appearance.
    start, end : float
        Times of the first and last sampled frame with this face, in seconds.
    n_frames : int
        Sampled frames with this face.
    share : float
        Share of all sampled frames, in [0, 1].
    prominence : float
        Sum over frames of (share of the picture's area) x (detector's confidence).
    shape_share : float
        Share of the frames with this face of which the landmarks were found, too. In the others, a
        model with a shape stream sees pixels alone. 0 where nothing looked for landmarks.
    """

    track: int
    start: float
    end: float
    n_frames: int
    share: float
    prominence: float
    shape_share: float = 0.0


@dataclass(frozen=True, repr=False)
class Prediction:
    """Scores of one face track of one video.

    Attributes
    ----------
    source : str
        File name or description of the video.
    scores : dict of str to float
        Softmax over the labels (eq. 1): which of *these* labels fits best. Not a probability that
        any of them is right. With `multi_label`, the probability of each label by itself. NaN where
        no face was found.
    similarities : dict of str to float
        Cosine similarity of face and label, independent of the other labels.
    prompts : dict of str to str
        What each label was turned into: ``bank``, ``template``, ``custom``, ``compound``,
        ``caption`` or ``fitted``.
    track : int, optional
        The track that was scored; None without a face.
    tracks : tuple of FaceTrack
        All faces that were found.
    n_frames : int
        Sampled frames that were scored.
    duration : float, optional
        When the video ends, in seconds.
    error : str, optional
        Why the video could not be read. Set only for videos of a list; a single one raises.
    model : ModelInfo, optional
    confidence : float
        Score of the best label when the model's own labels compete with those that were offered:
        low where none of the offered ones fits. NaN without a face.
    abstained : bool, optional
        The confidence is below the model's threshold or the caller's `min_score`: none of these; or
        the model can't read the best label. None without a face.
    tied : tuple of str
        Labels that can't be told from the best one, best first: their scores differ by less than
        the margin that was calibrated with the model.
    quality : FaceQuality, optional
        How well the face can be seen: means over the frames that were scored or, where none was
        good enough, over all of this face.
    reason : {"nobody", "low quality"}, optional
        Why there is no score. None where there is one, and for a video that can't be read.
    actions : dict of str to float, optional
        Where asked for: means over the frames that were scored, as in :class:`TimelineRow`.
    reliability : dict of str to LabelReliability
        How far each label can be trusted.
    multi_label : bool
        Each label was scored against its absence; `confidence` is the highest score then.
    present : tuple of str
        With `multi_label`: the labels that are shown, best first, whose scores are `min_score`
        (0.5) or more. Empty where the result abstained.
    """

    source: str
    scores: dict[str, float]
    similarities: dict[str, float]
    prompts: dict[str, str]
    track: int | None = None
    tracks: tuple[FaceTrack, ...] = ()
    n_frames: int = 0
    duration: float | None = None
    error: str | None = None
    model: ModelInfo | None = None
    confidence: float = math.nan
    abstained: bool | None = None
    quality: FaceQuality | None = None
    reason: Gap | None = None
    actions: dict[str, float] | None = None
    tied: tuple[str, ...] = ()
    reliability: dict[str, LabelReliability] = field(default_factory=dict)
    multi_label: bool = False
    present: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return three lines: the answer, the best labels, and what they rest on."""
        if not self.face_found:
            problem = f"failed: {self.error}" if self.error is not None else self.status
            reason = f" ({self.reason})" if self.reason == LOW_QUALITY else ""
            return f"<Prediction {self.source!r}: {problem}{reason}>"
        answer = self.answer or f"none of these ({self.label}?)"
        ranked = "  ".join(f"{label} {score:.2f}" for label, score in self.top(REPR_LABELS))
        more = len(self.scores) - REPR_LABELS
        basis = [f"face {self.track} of {self.n_tracks}", f"{self.n_frames} frames"]
        basis += [] if math.isnan(self.confidence) else [f"confidence {self.confidence:.2f}"]
        basis += [] if self.quality is None else [f"quality {self.quality.score:.2f}"]
        return (
            f"<Prediction {self.source!r}: {answer}>\n"
            f"  {ranked}{f'  and {more} more' if more > 0 else ''}\n"
            f"  {', '.join(basis)}"
        )

    def _repr_html_(self) -> str:
        """Return a picture and a table of the best labels, for a notebook."""
        caption = f"{self.source}: {self.error or self.reason or self.status}"
        if self.face_found:
            caption = f"{self.source}: {self.answer or 'none of these fits'}"
            caption += f", face {self.track} of {self.n_tracks}"
        best = self.top(HTML_LABELS)
        rows = []
        for label, score in best:
            known = self.reliability.get(label)
            about = known.text if known else ""
            rows.append((label, f"{score:.3f}", f"{self.similarities[label]:.3f}", about))
        table = html_table(caption, ("label", "score", "similarity", "reliability"), rows)
        marked = [] if self.abstained or not best else [best[0][0], *self.tied, *self.present]
        return f"<div>{bars_svg(best, marked) if best else ''}{table}</div>"

    @property
    def status(self) -> Status:
        """``"ok"``, ``"no face"`` (none that could be scored) or ``"failed"``."""
        if self.error is not None:
            return FAILED
        return OK if self.face_found else NO_FACE

    @property
    def face_found(self) -> bool:
        """Whether there was a face to score."""
        return self.track is not None and self.reason is None

    @property
    def n_tracks(self) -> int:
        """How many people were found."""
        return len(self.tracks)

    @property
    def label(self) -> str | None:
        """The label of the highest score, also where the model abstained; None without a face."""
        return self.top(1)[0][0] if self.face_found else None

    @property
    def answer(self) -> str | None:
        """What to publish: the label, or ``"anger ≈ neutral"`` where it can't tell them apart.

        With `multi_label` all labels that are present: ``"surprise + fear"``. None where the model
        abstained, and without a face.
        """
        return answer_text(self.label, self.tied, self.abstained, self.present)

    @property
    def action_text(self) -> str | None:
        """The actions in words, see :func:`describe_actions`; None without a face, or unasked."""
        return None if self.actions is None else describe_actions(self.actions) or None

    def top(self, k: int = 1) -> list[tuple[str, float]]:
        """Return the `k` best labels with their scores, best first; empty without a face."""
        if not self.face_found:
            return []
        return sorted(self.scores.items(), key=lambda item: -item[1])[:k]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values: dict[str, Any] = json_value(
            {
                "source": self.source,
                "status": self.status,
                "face_found": None if self.error is not None else self.face_found,
                "answer": self.answer,
                "label": self.label,
                "tied": self.tied,
                "multi_label": self.multi_label,
                "present": self.present,
                "confidence": self.confidence,
                "abstained": self.abstained,
                "scores": self.scores,
                "similarities": self.similarities,
                "prompts": self.prompts,
                "reliability": self.reliability,
                "track": self.track,
                "tracks": self.tracks,
                "n_frames": self.n_frames,
                "duration": self.duration,
                **(
                    {}
                    if self.actions is None
                    else {"actions": self.actions, "action_text": self.action_text}
                ),
                "error": self.error,
                "reason": self.reason,
                "quality": self.quality,
                "model": self.model,
            }
        )
        return values

    def to_record(self) -> dict[str, Any]:
        """Return a flat row, two columns per label."""
        failed = self.error is not None
        return {
            "source": self.source,
            "status": self.status,
            "face_found": None if failed else self.face_found,
            "error": self.error,
            "reason": self.reason,
            "track": self.track,
            "n_tracks": None if failed else self.n_tracks,
            "n_frames": None if failed else self.n_frames,
            "duration": self.duration,
            "answer": self.answer,
            "label": self.label,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "reliability": self._level(),
            **quality_record(self.quality),
            **label_columns("score", self.scores),
            **label_columns("similarity", self.similarities),
            **({} if self.actions is None else {"action_text": self.action_text, **self.actions}),
            **model_record(self.model),
        }

    def _level(self) -> str | None:
        known = self.reliability.get(self.label or "")
        return known.level if known else None

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of one row, :meth:`to_record`. Needs pandas.

        ``pandas.concat(p.to_pandas() for p in predictions)`` makes a table of many.
        """
        return to_pandas([self.to_record()])


def answer_text(
    label: str | None,
    tied: Sequence[str],
    abstained: bool | None,
    present: Sequence[str] = (),
) -> str | None:
    """Return what to publish of a result, see :attr:`Prediction.answer`."""
    if abstained or label is None:
        return None
    return " + ".join(present) if present else " ≈ ".join((label, *tied))


def model_record(model: ModelInfo | None) -> dict[str, Any]:
    """Return the columns of :meth:`ModelInfo.to_record`, empty where no model is known."""
    return model.to_record() if model else {"model": None, "revision": None, "prompt_bank": None}


def quality_record(quality: FaceQuality | None) -> dict[str, float]:
    """Return the columns that say how well a face can be seen, NaN where none is known."""
    names = ("face_size", "sharpness", "brightness", "outside")
    values = {name: getattr(quality, name, math.nan) for name in names}
    return {**values, "quality": quality.score if quality else math.nan}
