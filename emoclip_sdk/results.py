"""What a user gets back: plain data, no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

    from .analysis import Episode, TrackSummary
    from .paths import FacePath

__all__ = [
    "FaceTrack",
    "ModelInfo",
    "Prediction",
    "ProbeResult",
    "ScoreEstimate",
    "Timeline",
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
            "confidence": _number(self.confidence),
            "abstained": self.abstained,
            "scores": _no_nan(self.scores),
            "similarities": _no_nan(self.similarities),
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
            "confidence": _number(self.confidence),
            "abstained": self.abstained,
            "box": None if self.box is None else list(self.box),
            "detection_confidence": _number(self.detection_confidence),
            "scores": _no_nan(self.scores),
            "similarities": _no_nan(self.similarities),
        }


@dataclass(frozen=True)
class Timeline:
    """Scores over time: one row per face track and window, in order of tracks, then of time.

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

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        from .export.tables import to_pandas

        return to_pandas(self.to_records())

    def summary(self) -> list[TrackSummary]:
        """Sum up each face: how long it was there, shares of time per label, mean scores.

        ``pandas.DataFrame(s.to_record() for s in timeline.summary())`` makes a table of it.
        """
        from .analysis import summary

        return summary(self)

    def episodes(
        self, threshold: float = 0.5, *, min_duration: float = 0.0, merge_gap: float = 0.0
    ) -> list[Episode]:
        """Find the stretches in which the score of a label is `threshold` or more.

        A window in which the model abstained counts as below. Times are as fine as the step of the
        windows. ``pandas.DataFrame(timeline.episodes())`` makes a table of them.

        Parameters
        ----------
        threshold : float
            In [0, 1]. At 0.5, a label outweighs all the others together.
        min_duration : float
            Seconds; shorter episodes are left out, after merging.
        merge_gap : float
            Seconds; two episodes of a label that are no further apart become one.

        Returns
        -------
        list of Episode
            In order of tracks, then of onsets.

        Raises
        ------
        EmoCLIPError
            A value out of range.
        """
        from .analysis import episodes

        return episodes(self, threshold, min_duration, merge_gap)

    def resample(self, step: float) -> Timeline:
        """Return a timeline of windows of `step` seconds that follow one another without overlap.

        Scores, similarities, confidences and boxes are means over the time that windows of this
        timeline speak for. A finer step than this timeline's shows nothing new.

        Raises
        ------
        EmoCLIPError
            `step` is not positive.
        """
        from .analysis import resampled

        return resampled(self, step)

    def smooth(self, seconds: float) -> Timeline:
        """Return a timeline with each row's scores averaged over `seconds` about its middle.

        Similarities and confidences too; rows abstain anew. Gaps stay gaps.

        Raises
        ------
        EmoCLIPError
            `seconds` is not positive.
        """
        from .analysis import smoothed

        return smoothed(self, seconds)

    def save(self, path: str | Path) -> None:
        """Write a file; the ending says which kind.

        Tables with every row (:meth:`to_records`): ``.csv``, ``.jsonl``, ``.parquet`` (extra
        ``parquet``). Everything (:meth:`to_dict`): ``.json``. The best label of each face over
        time, without windows in which the model abstained: ``.vtt`` and ``.srt`` subtitles,
        ``.eaf`` (ELAN), ``.TextGrid`` (Praat), ``.rttm``.

        Raises
        ------
        EmoCLIPError
            Another ending, or the file can't be written.
        """
        from .export.save import save_timeline

        save_timeline(self, path)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the scores over time, one panel per track; returns the matplotlib figure.

        Needs the extra ``plot``. With `path` the figure is also written there.
        """
        from .export.plots import plot_timeline

        return plot_timeline(self, path)

    def heatmap(self, path: str | Path | None = None) -> Any:
        """Draw the scores of every label as colours over time; as :meth:`plot` otherwise."""
        from .export.plots import plot_heatmap

        return plot_heatmap(self, path)

    def annotate(
        self,
        video: Any,
        path: str | Path,
        *,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> None:
        """Write the video with boxes, labels and a strip that shows this timeline.

        Parameters
        ----------
        video
            What the timeline was made of: a path, bytes, a folder of frames, an array or pictures.
        path : str or Path
            ``.mp4``, ``.m4v``, ``.mov``, ``.mkv`` or ``.webm``. The sound of `video` is kept.
        fps, allow_network
            As the timeline was made with.

        Raises
        ------
        VideoError
            The video can't be read.
        EmoCLIPError
            Another ending, or the file can't be written.
        """
        from .export.annotate import annotate_video

        annotate_video(self, video, path, fps=fps, allow_network=allow_network)


@dataclass(frozen=True)
class ScoreEstimate:
    """A probe's estimate of one score. NaN without a face.

    Attributes
    ----------
    value : float
    low, high : float
        95 % of the errors that the probe made on patients it wasn't trained on lay within.
    mae : float
        Mean of their absolute values.
    """

    value: float
    low: float
    high: float
    mae: float


@dataclass(frozen=True)
class ProbeResult:
    """What a probe estimates from one interview. For research: no diagnosis.

    Attributes
    ----------
    source : str
        File name or description of the video.
    scores : dict of str to ScoreEstimate
    n_clips : int
        Clips whose predictions were averaged; 0 where no face was found.
    encoder : str, optional
        Name of the model that embedded the clips.
    """

    source: str
    scores: dict[str, ScoreEstimate]
    n_clips: int
    encoder: str | None = None

    @property
    def face_found(self) -> bool:
        """Whether there was a face to score."""
        return self.n_clips > 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "source": self.source,
            "face_found": self.face_found,
            "n_clips": self.n_clips,
            "encoder": self.encoder,
            "scores": {name: _no_nan(vars(found)) for name, found in self.scores.items()},
        }


def _no_nan(values: dict[str, float]) -> dict[str, float | None]:
    return {key: _number(value) for key, value in values.items()}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
