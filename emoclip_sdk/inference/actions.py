"""From the shapes of faces to rows of actions, head pose and gaze."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import Detection, FaceQuality, FaceShape, FrameFaces
from ..nn.face_landmarks import LANDMARKS
from ..results.actions import ActionRow, FaceActions, MissingActions
from ..results.baseline import FaceBaseline
from ..results.records import NOBODY, OUT_OF_VIEW
from .action_measures import ACTION_NAMES, action_measures, named_measures
from .baseline import BaselinePlan
from .frames import EmbeddedFrame, Encode, embed_faces
from .stream import FaceStream, TrackChoice, VideoFaces, choose_tracks

__all__ = [
    "BaselineWatch",
    "FrameRate",
    "action_columns",
    "action_rows",
    "face_actions",
    "frame_rate",
    "stream_actions",
]

_TOGETHER = 32  # frames that are embedded together, to look for a baseline

FrameRate = float | Literal["sampled", "all"]
"""Frames a second of a video that are read: as the model samples, every frame, or so many."""


def frame_rate(rate: Any, sampled: float) -> float | None:
    """Return frames a second, None for every frame; `sampled` is the model's own rate.

    Raises
    ------
    EmoCLIPError
        There is no such rate.
    """
    if rate == "all":
        return None
    if rate == "sampled":
        return sampled
    if isinstance(rate, bool | str) or not isinstance(rate, int | float | np.number):
        raise EmoCLIPError(f"rate must be 'sampled', 'all' or frames a second, not {rate!r}")
    if not (rate > 0 and math.isfinite(rate)):
        raise EmoCLIPError(f"rate must be a positive number of frames a second, not {rate}")
    return float(rate)


def action_columns(landmarks: bool = False) -> list[str]:
    """Return the columns of a table of actions."""
    points = np.zeros((LANDMARKS, 3), np.float32) if landmarks else None
    nothing = dict.fromkeys(ACTION_NAMES, math.nan)
    return list(ActionRow(None, 0, 0.0, nothing, landmarks=points).to_record(""))


def action_rows(
    video: VideoFaces[FrameFaces], track: int | Literal["all"] = "all", landmarks: bool = False
) -> Iterator[ActionRow]:
    """Yield rows in order of time, then of tracks, while a video is read; nothing is kept.

    Parameters
    ----------
    video : VideoFaces
        With the shapes of its faces.
    track : "all" or int
    landmarks : bool
        Keep the landmarks of each face.

    Raises
    ------
    VideoError
        At the end: there are faces, but none of that number.
    """
    for frame in video:
        yield from _rows(frame, track, landmarks)
    choose_tracks(video, track)


def face_actions(
    video: VideoFaces[FrameFaces],
    track: TrackChoice = "all",
    landmarks: bool = False,
    baseline: BaselineWatch | None = None,
) -> FaceActions:
    """Read a video to its end; parameters and errors as by :func:`action_rows`.

    With `baseline`, rows say what differs from it.
    """
    rows: list[ActionRow] = []
    for frame in video:
        if baseline is not None:
            baseline.see(frame)
        rows += _rows(frame, "all" if track == "prominent" else track, landmarks)
    actions = _collected(video, rows, track)
    return actions if baseline is None else actions.compared(baseline.baselines(video))


def stream_actions(
    video: FaceStream, track: TrackChoice = "all", plan: BaselinePlan | None = None
) -> FaceActions:
    """Return the actions of a video whose faces were embedded, as :func:`face_actions` does.

    `video` has the shapes of its faces. With `plan`, rows say what differs from it.
    """
    rows: list[ActionRow] = []
    for frame in video if plan is None else plan.watch(video):
        rows += _embedded_rows(frame, "all" if track == "prominent" else track)
    actions = _collected(video, rows, track)
    return actions if plan is None else actions.compared(plan.baselines(video))


def _collected(video: VideoFaces[Any], rows: list[ActionRow], track: TrackChoice) -> FaceActions:
    choose_tracks(video, track)
    if track == "prominent":
        rows = _of_one(rows, video.most_prominent)
    return FaceActions(video.name, tuple(rows), video.tracks, video.duration, origin=video.origin)


class BaselineWatch:
    """Shows the frames of a video to a plan of baselines, which wants them embedded.

    Parameters
    ----------
    plan : BaselinePlan
    encode : callable
        Crops (N, S, S, 3) to embeddings (N, D); the plan looks for neutral moments in them.
    rate : float
        Frames a second that a model samples: of more, the others are left out.
    """

    def __init__(self, plan: BaselinePlan, encode: Encode, rate: float) -> None:
        self._plan = plan
        self._encode = encode if plan.kind == "auto" else _nothing_encoded
        self._spacing = 1 / rate
        self._due = -math.inf
        self._waiting: list[FrameFaces] = []

    def see(self, frame: FrameFaces) -> None:
        """Take in the next frame."""
        if self._plan.recorder is None or frame.time < self._due - 1e-3:
            return
        self._due = max(self._due, frame.time - self._spacing) + self._spacing
        self._waiting.append(frame)
        if len(self._waiting) >= _TOGETHER:
            self._show()

    def _show(self) -> None:
        frames = embed_faces(self._waiting, self._encode)
        if self._plan.recorder is not None:
            for frame in frames:
                self._plan.recorder.see(frame)
        self._waiting = []

    def baselines(self, video: VideoFaces[FrameFaces]) -> tuple[FaceBaseline, ...]:
        """Return the baseline of each face, at the end of the video."""
        self._show()
        return self._plan.baselines(video)


def _nothing_encoded(
    crops: NDArray[np.uint8], shapes: Sequence[FaceShape | None]
) -> NDArray[np.float32]:
    return np.zeros((len(crops), 0), np.float32)


def _rows(frame: FrameFaces, track: int | Literal["all"], landmarks: bool) -> Iterator[ActionRow]:
    faces = [face for face in frame.faces if track in ("all", face.track)]
    for face in faces:
        found = Detection(face.box, face.confidence)
        shape = face.shape
        if shape is None:
            yield _row(frame, face.track, found, face.quality)
            continue
        measures = action_measures([shape])[0]
        row = _row(frame, face.track, found, face.quality, measures, shape.presence)
        yield replace(row, landmarks=shape.landmarks) if landmarks else row
    if not faces:
        yield _gap(frame.index, frame.time, OUT_OF_VIEW if frame.faces else NOBODY)


def _embedded_rows(frame: EmbeddedFrame, track: int | Literal["all"]) -> Iterator[ActionRow]:
    tracks = [known for known in frame.detections if track in ("all", known)]
    for known in tracks:
        yield _row(
            frame,
            known,
            frame.detections[known],
            frame.qualities.get(known),
            frame.actions.get(known),
            frame.presences.get(known, math.nan),
        )
    if not tracks:
        yield _gap(frame.index, frame.time, OUT_OF_VIEW if frame.detections else NOBODY)


def _row(
    frame: FrameFaces | EmbeddedFrame,
    track: int,
    found: Detection,
    quality: FaceQuality | None,
    measures: NDArray[np.float32] | None = None,
    presence: float = math.nan,
) -> ActionRow:
    named = named_measures(measures)
    return ActionRow(
        track,
        frame.index,
        frame.time,
        {name: named[name] for name in ACTION_NAMES},
        None if measures is not None else "no landmarks",
        box=found.box,
        detection_confidence=found.confidence,
        presence=round(presence, 4),
        quality=quality,
        pitch=named["pitch"],
        yaw=named["yaw"],
        roll=named["roll"],
        gaze_pitch=named["gaze_pitch"],
        gaze_yaw=named["gaze_yaw"],
    )


def _gap(frame: int, time: float, reason: MissingActions) -> ActionRow:
    return ActionRow(None, frame, time, _nothing(), reason)


def _nothing() -> dict[str, float]:
    return dict.fromkeys(ACTION_NAMES, math.nan)


def _of_one(rows: list[ActionRow], track: int | None) -> list[ActionRow]:
    """Keep the rows of one face, and a row for each frame without it."""
    frames: dict[int, list[ActionRow]] = {}
    for row in rows:
        frames.setdefault(row.frame, []).append(row)
    kept = []
    for number, others in frames.items():
        own = [row for row in others if row.track == track]
        reason = NOBODY if others[0].track is None else OUT_OF_VIEW
        kept += own or [_gap(number, others[0].time, reason)]
    return kept
