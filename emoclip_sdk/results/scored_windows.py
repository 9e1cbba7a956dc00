"""Scores over time: plain data, one row per face track and window."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from ..faces import FaceQuality, TrackPerson
from .action_words import describe_actions
from .baseline import BaselineKind, FaceBaseline
from .numbers import json_value
from .paths import FacePath
from .people import people_of_rows, rows_with_people
from .records import (
    FAILED,
    LOW_QUALITY,
    NO_FACE,
    OK,
    SPEECH,
    FaceTrack,
    Gap,
    ModelInfo,
    Status,
    answer_text,
    model_record,
    quality_record,
)
from .reliability import LabelReliability
from .speech import Speech
from .tables import label_columns

__all__ = ["ScoredWindows", "TimelineRow", "spoken_columns"]

Windows = TypeVar("Windows", bound="ScoredWindows")


# What is in a row only where it was asked for, and the field that says so.
_ASKED = {
    "actions": "actions",
    "action_text": "actions",
    "baseline": "score_changes",
    "score_changes": "score_changes",
    "action_changes": "action_changes",
    "person": "person",
    "speaking": "speaking",
    "speaker": "speaking",
    "text": "speaking",
}


@dataclass(frozen=True)
class TimelineRow:
    """Scores of one face track in one window. NaN where there is nothing to score.

    Attributes
    ----------
    track : int, optional
        None: nobody is there in this window.
    start, end : float
        Of the window, in seconds.
    n_frames : int
        Sampled frames with this face in the window.
    scores, similarities : dict of str to float
    confidence : float
    abstained : bool, optional
    tied, present : tuple of str
        See :class:`Prediction`.
    box : (float, float, float, float), optional
        x0, y0, x1, y1 of the face in pixels of the video, averaged over these frames.
    detection_confidence : float
        Of the face detector, averaged over these frames.
    quality : FaceQuality, optional
        How well the face can be seen: means over these frames.
    reason : {"nobody", "out of view", "low quality", "speech"}, optional
        Why there is no score; None where there is one.
    actions : dict of str to float, optional
        Where asked for: means over these frames of the blendshapes, of head pose and gaze
        (``pitch``, ``yaw``, ``roll``, ``gaze_pitch``, ``gaze_yaw``), as in :class:`ActionRow`. NaN
        where no frame shows them.
    baseline : {"auto", "span", "video"}, optional
        What the changes are against. None where there is no baseline.
    score_changes, action_changes : dict of str to float, optional
        Where a baseline was asked for: `scores` and `actions` minus those of the person's baseline.
        NaN where there is none.
    seen : tuple of (float, float)
        When this face was on the screen: begin and end, in seconds, of each stretch within the
        window. A row speaks for no other time. Empty where nothing says so: for all of the window.
    first_frame, last_frame : int, optional
        The first and the last of the `n_frames`: numbers in the file, from 0 in the order in which
        frames are shown. None in a gap, and in what :meth:`Timeline.resample` returns.
    person : TrackPerson, optional
        Who this face is, where it was asked for.
    speaking : float, optional
        Where speech is known (:meth:`Timeline.with_speech`): the share of the window in which
        somebody speaks, in [0, 1].
    speaker, text : str, optional
        Who speaks longest in the window, and what is said; None in silence.
    """

    track: int | None
    start: float
    end: float
    n_frames: int
    scores: dict[str, float]
    similarities: dict[str, float]
    confidence: float = math.nan
    abstained: bool | None = None
    box: tuple[float, float, float, float] | None = None
    detection_confidence: float = math.nan
    quality: FaceQuality | None = None
    reason: Gap | None = None
    actions: dict[str, float] | None = None
    baseline: BaselineKind | None = None
    score_changes: dict[str, float] | None = None
    action_changes: dict[str, float] | None = None
    seen: tuple[tuple[float, float], ...] = ()
    tied: tuple[str, ...] = ()
    first_frame: int | None = None
    last_frame: int | None = None
    person: TrackPerson | None = None
    speaking: float | None = None
    speaker: str | None = None
    text: str | None = None
    present: tuple[str, ...] = ()

    @property
    def face_found(self) -> bool:
        """Whether there is a face to score in the window."""
        return self.n_frames > 0 and self.reason is None

    @property
    def sights(self) -> tuple[tuple[float, float], ...]:
        """The stretches of time that this row speaks for; none where the face is away."""
        if not self.face_found and self.reason not in (LOW_QUALITY, SPEECH):
            return ()
        return self.seen or ((self.start, self.end),)

    @property
    def middle(self) -> float:
        """The middle of the time that this row speaks for; of its window where there is none."""
        sights = self.sights or ((self.start, self.end),)
        return (sights[0][0] + sights[-1][1]) / 2

    @property
    def label(self) -> str | None:
        """The label of the highest score, also where the model abstained; None in a gap."""
        return max(self.scores, key=self.scores.__getitem__) if self.face_found else None

    @property
    def answer(self) -> str | None:
        """What to publish, see :attr:`Prediction.answer`; None in a gap, too."""
        return answer_text(self.label, self.tied, self.abstained, self.present)

    @property
    def action_text(self) -> str | None:
        """The actions in words, by what changes where there is a baseline; None without a face.

        See :func:`describe_actions`. None also where actions were not asked for.
        """
        if self.actions is None:
            return None
        before = None
        if self.baseline is not None and self.action_changes is not None:
            changes = self.action_changes
            before = {name: value - changes[name] for name, value in self.actions.items()}
        return describe_actions(self.actions, before) or None

    def to_record(self, source: str, model: ModelInfo | None = None) -> dict[str, Any]:
        """Return a flat row, two columns per label, NaN in gaps."""
        box = self.box or (math.nan,) * 4
        sights = self.sights
        return {
            "source": source,
            "track": self.track,
            **(self.person.to_record() if self.person else {}),
            "start": self.start,
            "end": self.end,
            "seen_start": sights[0][0] if sights else math.nan,
            "seen_end": sights[-1][1] if sights else math.nan,
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
            "face_found": self.face_found,
            "reason": self.reason,
            "answer": self.answer,
            "label": self.label,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "n_frames": self.n_frames,
            **dict(zip(("face_x0", "face_y0", "face_x1", "face_y1"), box, strict=True)),
            "detection_confidence": self.detection_confidence,
            **quality_record(self.quality),
            **label_columns("score", self.scores),
            **label_columns("similarity", self.similarities),
            **({} if self.score_changes is None else {"baseline": self.baseline}),
            **label_columns("change", self.score_changes or {}),
            **({} if self.actions is None else {"action_text": self.action_text}),
            **(self.actions or {}),
            **label_columns("change", self.action_changes or {}),
            **spoken_columns(self),
            **model_record(model),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values: dict[str, Any] = json_value(
            {
                "track": self.track,
                "start": self.start,
                "end": self.end,
                "seen": self.sights,
                "first_frame": self.first_frame,
                "last_frame": self.last_frame,
                "n_frames": self.n_frames,
                "face_found": self.face_found,
                "reason": self.reason,
                "answer": self.answer,
                "label": self.label,
                "tied": self.tied,
                "present": self.present,
                "confidence": self.confidence,
                "abstained": self.abstained,
                "box": self.box,
                "detection_confidence": self.detection_confidence,
                "quality": self.quality,
                "scores": self.scores,
                "similarities": self.similarities,
                **{
                    name: getattr(self, name)
                    for name, asked in _ASKED.items()
                    if getattr(self, asked) is not None
                },
            }
        )
        return values


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
        When the video ends, in seconds.
    model : ModelInfo, optional
    min_score : float
        A row whose confidence is below has `abstained` set.
    min_quality : float
        A window in which the face is seen less well has no scores.
    margin : float
        Labels whose scores differ by a factor of less than exp(margin) are `tied`.
    reliability : dict of str to LabelReliability
        As in :class:`Prediction`.
    paths : mapping of int to FacePath
        Where each face is in every sampled frame, for :meth:`annotate`. Not in files.
    baselines : tuple of FaceBaseline
        What each face is compared with, where a baseline was asked for.
    speech : Speech, optional
        Who speaks when, where this is known.
    multi_label : bool
        As in :class:`Prediction`.
    error : str, optional
        Why the video could not be read. Set only for videos of a list; a single one raises.
    origin : str, optional
        The file or folder that was read: nothing is written over it.
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
    min_quality: float = 0.0
    margin: float = 0.0
    reliability: dict[str, LabelReliability] = field(default_factory=dict)
    paths: Mapping[int, FacePath] = field(default_factory=dict, compare=False, repr=False)
    baselines: tuple[FaceBaseline, ...] = ()
    speech: Speech | None = None
    multi_label: bool = False
    error: str | None = None
    origin: str | None = field(default=None, compare=False, repr=False)

    @property
    def status(self) -> Status:
        """``"ok"``, ``"no face"`` (in no window) or ``"failed"``."""
        if self.error is not None:
            return FAILED
        return OK if any(row.face_found for row in self.rows) else NO_FACE

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TimelineRow]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> TimelineRow: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[TimelineRow, ...]: ...

    def __getitem__(self, index: int | slice) -> TimelineRow | tuple[TimelineRow, ...]:
        """Return a row by its number, or several."""
        return self.rows[index]

    @property
    def people(self) -> dict[int, TrackPerson]:
        """Who each face is, by its track; empty where it was not asked for."""
        return people_of_rows(self.rows)

    def face_name(self, track: int) -> str:
        """Return how a face is called: "face 0", or "face 0, Anna"."""
        person = self.people.get(track)
        name = person and person.name
        return f"face {track}" + (f", {name}" if name else "")

    def with_people(self: Windows, people: Mapping[int, TrackPerson]) -> Windows:
        """Return the same rows with who is in them, by track."""
        return dataclasses.replace(self, rows=rows_with_people(self.rows, people))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values: dict[str, Any] = json_value(
            {
                "source": self.source,
                "status": self.status,
                "labels": self.labels,
                "window": self.window,
                "step": self.step,
                "prompts": self.prompts,
                "tracks": self.tracks,
                "duration": self.duration,
                "error": self.error,
                "model": self.model,
                "min_score": self.min_score,
                "min_quality": self.min_quality,
                "margin": self.margin,
                "reliability": self.reliability,
                "baselines": self.baselines,
                "speech": self.speech,
                "multi_label": self.multi_label,
                "rows": self.rows,
            }
        )
        return values

    def to_records(self) -> list[dict[str, Any]]:
        """Return flat rows, two columns per label, NaN in gaps."""
        return [row.to_record(self.source, self.model) for row in self.rows]


def spoken_columns(row: Any) -> dict[str, Any]:
    """Return the columns of speech of a row, where it is known."""
    if row.speaking is None:
        return {}
    return {"speaking": row.speaking, "speaker": row.speaker, "text": row.text}
