"""What a user gets back: plain data, no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .numbers import null_number, null_numbers
from .paths import FacePath

__all__ = [
    "DescriptionMatch",
    "FaceTrack",
    "FrameWeight",
    "ModelInfo",
    "Prediction",
    "ScoredWindows",
    "TimelineRow",
]


@dataclass(frozen=True)
class ModelInfo:
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


@dataclass(frozen=True)
class FaceTrack:
    """One person in a video.

    Attributes
    ----------
    id : int
        Number in the order of appearance.
    start, end : float
        Times of the first and last sampled frame with this face, in seconds.
    n_frames : int
        Sampled frames with this face.
    share : float
        Share of all sampled frames, in [0, 1].
    prominence : float
        Sum over frames of (share of the picture's area) x (detector's confidence).
    """

    id: int
    start: float
    end: float
    n_frames: int
    share: float
    prominence: float


@dataclass(frozen=True)
class Prediction:
    """Scores of one face track of one video.

    Attributes
    ----------
    source : str
        File name or description of the video.
    scores : dict of str to float
        Softmax over the labels (eq. 1): which of *these* labels fits best. Not a probability that
        any of them is right. NaN where no face was found.
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
        Length of the video in seconds.
    error : str, optional
        Why the video could not be read. Set only for videos of a list; a single one raises.
    model : ModelInfo, optional
    confidence : float
        Score of the best label when the model's own labels compete with those that were offered:
        low where none of the offered ones fits. NaN without a face.
    abstained : bool
        The confidence is below the model's threshold or the caller's `min_score`: none of these.
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
    abstained: bool = False

    @property
    def face_found(self) -> bool:
        """Whether there was a face to score."""
        return self.track is not None

    @property
    def n_tracks(self) -> int:
        """How many people were found."""
        return len(self.tracks)

    @property
    def label(self) -> str | None:
        """The label of the highest score, also where the model abstained; None without a face."""
        return self.top(1)[0][0] if self.face_found else None

    def top(self, k: int = 1) -> list[tuple[str, float]]:
        """Return the `k` best labels with their scores, best first; empty without a face."""
        if not self.face_found:
            return []
        return sorted(self.scores.items(), key=lambda item: -item[1])[:k]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "source": self.source,
            "face_found": self.face_found,
            "label": self.label,
            "confidence": null_number(self.confidence),
            "abstained": self.abstained,
            "scores": null_numbers(self.scores),
            "similarities": null_numbers(self.similarities),
            "prompts": dict(self.prompts),
            "track": self.track,
            "tracks": [vars(track).copy() for track in self.tracks],
            "n_frames": self.n_frames,
            "duration": self.duration,
            "error": self.error,
            "model": vars(self.model).copy() if self.model else None,
        }


@dataclass(frozen=True)
class TimelineRow:
    """Scores of one face track in one window. NaN where the face is not in the window.

    Attributes
    ----------
    track : int, optional
        None: nobody is there in this window.
    start, end : float
        Seconds.
    n_frames : int
        Sampled frames with this face in the window.
    scores, similarities : dict of str to float
    confidence : float
    abstained : bool
        See :class:`Prediction`.
    box : (float, float, float, float), optional
        x0, y0, x1, y1 of the face in pixels of the video, averaged over these frames.
    detection_confidence : float
        Of the face detector, averaged over these frames.
    """

    track: int | None
    start: float
    end: float
    n_frames: int
    scores: dict[str, float]
    similarities: dict[str, float]
    confidence: float = math.nan
    abstained: bool = False
    box: tuple[float, float, float, float] | None = None
    detection_confidence: float = math.nan

    @property
    def face_found(self) -> bool:
        """Whether the face is in the window."""
        return self.n_frames > 0

    @property
    def label(self) -> str | None:
        """The label of the highest score; None in a gap."""
        return max(self.scores, key=self.scores.__getitem__) if self.face_found else None

    def to_record(self, source: str, model: ModelInfo | None = None) -> dict[str, Any]:
        """Return a flat row, two columns per label, NaN in gaps."""
        box = self.box or (math.nan,) * 4
        return {
            "source": source,
            "track": self.track,
            "start": self.start,
            "end": self.end,
            "label": self.label,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "n_frames": self.n_frames,
            **dict(zip(("face_x0", "face_y0", "face_x1", "face_y1"), box, strict=True)),
            "face_confidence": self.detection_confidence,
            **{f"score:{label}": value for label, value in self.scores.items()},
            **{f"similarity:{label}": value for label, value in self.similarities.items()},
            "model": model and model.name,
            "revision": model and model.revision,
            "prompt_bank": model and model.prompt_bank,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "track": self.track,
            "start": self.start,
            "end": self.end,
            "n_frames": self.n_frames,
            "face_found": self.face_found,
            "label": self.label,
            "confidence": null_number(self.confidence),
            "abstained": self.abstained,
            "box": None if self.box is None else list(self.box),
            "detection_confidence": null_number(self.detection_confidence),
            "scores": null_numbers(self.scores),
            "similarities": null_numbers(self.similarities),
        }


@dataclass(frozen=True)
class ScoredWindows:
    """The data of a :class:`~emoclip_sdk.Timeline`: one row per face track and window.

    Rows are in order of tracks, then of time.

    Attributes
    ----------
    source : str
        File name or description of the video.
    labels : tuple of str
    window, step : float
        Length and distance of the windows in seconds.
    rows : tuple of TimelineRow
    prompts : dict of str to str
        As in :class:`Prediction`.
    tracks : tuple of FaceTrack
    duration : float, optional
        Length of the video in seconds.
    model : ModelInfo, optional
    min_score : float
        A row whose confidence is below has `abstained` set.
    paths : mapping of int to FacePath
        Where each face is in every sampled frame, for :meth:`annotate`. Not in files.
    """

    source: str
    labels: tuple[str, ...]
    window: float
    step: float
    rows: tuple[TimelineRow, ...]
    prompts: dict[str, str] = field(default_factory=dict)
    tracks: tuple[FaceTrack, ...] = ()
    duration: float | None = None
    model: ModelInfo | None = None
    min_score: float = 0.0
    paths: Mapping[int, FacePath] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TimelineRow]:
        return iter(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "source": self.source,
            "labels": list(self.labels),
            "window": self.window,
            "step": self.step,
            "prompts": dict(self.prompts),
            "tracks": [vars(track).copy() for track in self.tracks],
            "duration": self.duration,
            "model": vars(self.model).copy() if self.model else None,
            "min_score": self.min_score,
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_records(self) -> list[dict[str, Any]]:
        """Return flat rows, two columns per label, NaN in gaps."""
        return [row.to_record(self.source, self.model) for row in self.rows]


@dataclass(frozen=True)
class FrameWeight:
    """What one sampled frame of the face did for the decision.

    Attributes
    ----------
    time : float
        Seconds.
    box : tuple of float
        x0, y0, x1, y1 in pixels of the frame.
    change : float
        Score of the winning label minus its score without this frame: above 0, the frame spoke for
        the label. NaN where it is the only frame.
    attention : float
        Share that the class token's attention gives to this frame, over all layers (attention
        rollout); all frames sum to 1. A frame ensemble gives each the same. Where the last clip of
        a long video overlaps the one before, frames count twice.
    picture : bytes, optional
        The face as a JPEG file, for some of the frames.
    """

    time: float
    box: tuple[float, float, float, float]
    change: float
    attention: float
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DescriptionMatch:
    """How well one text of a label fits.

    Attributes
    ----------
    text : str
    weight : float
        Its share in the label.
    similarity : float
        Cosine similarity of the face and this text alone.
    """

    text: str
    weight: float
    similarity: float
