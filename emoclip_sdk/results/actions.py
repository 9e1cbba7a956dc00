"""Facial actions, head pose and gaze, frame by frame: plain data, no torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..export.plots import plot_actions
from ..export.save import save_table
from ..faces import Box, FaceQuality
from .baseline import BaselineKind, FaceBaseline, changes
from .html import html_table
from .numbers import json_value
from .records import FAILED, NO_FACE, OK, FaceTrack, Gap, Status, quality_record
from .tables import label_columns, to_pandas

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

__all__ = ["ActionRow", "FaceActions", "MissingActions"]

MissingActions = Gap | Literal["no landmarks"]
"""Why a row has no actions: as in other results, or a face was detected, but the landmark network
sees none there."""

_ANGLES = ("pitch", "yaw", "roll", "gaze_pitch", "gaze_yaw")

HTML_ROWS = 12
"""Rows that a notebook shows."""


@dataclass(frozen=True)
class ActionRow:
    """One face in one frame. What is missing is NaN: nothing is guessed.

    Attributes
    ----------
    track : int, optional
        Number of the person, in order of appearance. None: nobody is there.
    frame : int
        Number of the frame in the video, from 0.
    time : float
        Seconds on the clock of the container: what a player shows.
    actions : dict of str to float
        51 blendshapes by their ARKit names, in [0, 1]. Left and right are the subject's.
    reason : str, optional
        Why there are no actions: "nobody", "out of view" (of one face that was asked for), or "no
        landmarks", where a face was detected but its shape can't be seen. None where there are.
    box : (float, float, float, float), optional
        x0, y0, x1, y1 of the face in pixels of the video.
    detection_confidence : float
        Of the face detector.
    presence : float
        The landmark network's probability that there is a face, 0.5 or more.
    pitch, yaw, roll : float
        Of the head against the line of sight, in degrees. pitch > 0: it looks up. yaw > 0: it turns
        to its own left, the right side of the picture. roll > 0: it leans to its own left shoulder,
        clockwise in the picture.
    gaze_pitch, gaze_yaw : float
        Of the eyes against the head, in degrees; > 0: upwards, to the subject's left.
    quality : FaceQuality, optional
        How well the face can be seen.
    baseline : {"auto", "span", "video"}, optional
        What the changes are against. None where there is no baseline.
    changes : dict of str to float, optional
        Where a baseline was asked for: actions, pose and gaze minus those of the person's baseline.
        NaN where there is none.
    landmarks : ndarray, shape (478, 3), optional
        Where asked for: x, y in pixels of the video, z on the same scale, smaller towards the
        camera.
    """

    track: int | None
    frame: int
    time: float
    actions: Mapping[str, float]
    reason: MissingActions | None = None
    box: Box | None = None
    detection_confidence: float = math.nan
    presence: float = math.nan
    pitch: float = math.nan
    yaw: float = math.nan
    roll: float = math.nan
    gaze_pitch: float = math.nan
    gaze_yaw: float = math.nan
    quality: FaceQuality | None = None
    baseline: BaselineKind | None = None
    changes: Mapping[str, float] | None = None
    landmarks: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    @property
    def face_found(self) -> bool:
        """Whether a face was detected in this frame."""
        return self.box is not None

    def to_record(self, source: str) -> dict[str, Any]:
        """Return a flat row, one column per action; with landmarks also ``x_0`` to ``z_477``."""
        box = self.box or (math.nan,) * 4
        points = {}
        if self.landmarks is not None:
            for name, values in zip("xyz", self.landmarks.T.tolist(), strict=True):
                points.update({f"{name}_{i}": round(v, 2) for i, v in enumerate(values)})
        return {
            "source": source,
            "track": self.track,
            "frame": self.frame,
            "time": self.time,
            "face_found": self.face_found,
            "reason": self.reason,
            **dict(zip(("face_x0", "face_y0", "face_x1", "face_y1"), box, strict=True)),
            "detection_confidence": self.detection_confidence,
            "presence": self.presence,
            **{name: getattr(self, name) for name in ("pitch", "yaw", "roll")},
            **{name: getattr(self, name) for name in ("gaze_pitch", "gaze_yaw")},
            **self.actions,
            **quality_record(self.quality),
            **({} if self.changes is None else {"baseline": self.baseline}),
            **label_columns("change", self.changes or {}),
            **points,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values = {**vars(self), "face_found": self.face_found}
        if self.landmarks is not None:
            values["landmarks"] = np.round(self.landmarks.astype(float), 2).tolist()
        return {name: json_value(value) for name, value in values.items()}


@dataclass(frozen=True, repr=False)
class FaceActions:
    """Actions, pose and gaze of the faces of a video: one row per face and frame.

    Rows are in order of time, then of tracks. A frame in which none of the faces is that were asked
    for is a row, too, with `reason`.

    Attributes
    ----------
    source : str
        File name or description of the video.
    rows : tuple of ActionRow
    tracks : tuple of FaceTrack
        All faces that were found.
    duration : float, optional
        When the video ends, in seconds.
    baselines : tuple of FaceBaseline
        What each face is compared with, where a baseline was asked for.
    error : str, optional
        Why the video could not be read. Set only for videos of a list; a single one raises.
    origin : str, optional
        The file or folder that was read: nothing is written over it.
    """

    source: str
    rows: tuple[ActionRow, ...] = ()
    tracks: tuple[FaceTrack, ...] = ()
    duration: float | None = None
    baselines: tuple[FaceBaseline, ...] = ()
    error: str | None = None
    origin: str | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<FaceActions {self.source!r}: {self.error or self._size()}>"

    def _repr_html_(self) -> str:
        """Return a table of the first rows, for a notebook."""
        columns = ("track", "frame", "time", "pitch", "yaw", "roll", "strongest actions")
        rows = [
            (
                "" if row.track is None else str(row.track),
                str(row.frame),
                f"{row.time:.2f}",
                *("" if math.isnan(v) else f"{v:.0f}" for v in (row.pitch, row.yaw, row.roll)),
                row.reason or ", ".join(f"{n} {v:.2f}" for n, v in _top(row.actions, 3)),
            )
            for row in self.rows[:HTML_ROWS]
        ]
        caption = f"{self.source}: {self.error or self._size()}"
        if len(self.rows) > HTML_ROWS:
            caption += f"; the first {HTML_ROWS} rows"
        return html_table(caption, columns, rows)

    def _size(self) -> str:
        n, tracks = len(self.rows), len(self.tracks)
        return f"{n} row{'' if n == 1 else 's'}, {tracks} track{'' if tracks == 1 else 's'}"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ActionRow]:
        return iter(self.rows)

    @property
    def status(self) -> Status:
        """``"ok"``, ``"no face"`` (whose actions could be read) or ``"failed"``."""
        if self.error is not None:
            return FAILED
        return OK if any(row.reason is None for row in self.rows) else NO_FACE

    def strongest(self, track: int, k: int = 5) -> list[tuple[str, float, float]]:
        """Return the actions of a face that come out strongest: name, highest value, its time.

        Left and right of an action count as one, by the stronger side. Where the eyes look is left
        out.
        """
        peaks: dict[str, tuple[str, float, float]] = {}
        for row in self.rows:
            if row.track != track or row.reason is not None:
                continue
            for name, value in row.actions.items():
                action = name.removesuffix("Left").removesuffix("Right")
                if action.startswith("eyeLook"):
                    continue
                if action not in peaks or value > peaks[action][1]:
                    peaks[action] = (name, value, row.time)
        return sorted(peaks.values(), key=lambda peak: -peak[1])[:k]

    def compared(self, baselines: Sequence[FaceBaseline]) -> FaceActions:
        """Say in every row what differs from the baseline of its face."""
        used = {baseline.track: baseline for baseline in baselines if baseline.used}
        rows = []
        for row in self.rows:
            known = None if row.track is None or row.reason is not None else used.get(row.track)
            values = {**row.actions, **{name: getattr(row, name) for name in _ANGLES}}
            rows.append(
                dataclasses.replace(
                    row,
                    baseline=known.kind if known else None,
                    changes=changes(values, known.actions if known else None),
                )
            )
        return dataclasses.replace(self, rows=tuple(rows), baselines=tuple(baselines))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values: dict[str, Any] = json_value(
            {
                "source": self.source,
                "status": self.status,
                "tracks": self.tracks,
                "duration": self.duration,
                "error": self.error,
                "baselines": self.baselines,
                "rows": self.rows,
            }
        )
        return values

    def to_records(self) -> list[dict[str, Any]]:
        """Return flat rows, one column per action, NaN where something is missing."""
        return [row.to_record(self.source) for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())

    def heatmap(self, path: str | Path | None = None) -> Figure:
        """Draw the actions as colors over time, one panel per face; returns the figure.

        Needs the extra ``plot``. With `path` the figure is also written there. Left and right of an
        action are averaged; those that stay below 0.1 are left out, and so is where the eyes look.
        """
        return plot_actions(
            self.series(), path, source=self.source, duration=self.duration, origin=self.origin
        )

    def series(self) -> dict[int, tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]]:
        """Return for each face its actions over time, as :meth:`heatmap` draws them.

        Returns
        -------
        dict of int to (dict of str to ndarray (N,), ndarray (N,))
            Values of each action, left and right averaged, and their times in seconds.
        """
        tracks = dict.fromkeys(row.track for row in self.rows if row.track is not None)
        return {
            track: self._series(rows)
            for track in sorted(tracks)
            if (rows := [r for r in self.rows if r.track == track and r.reason is None])
        }

    @staticmethod
    def _series(
        rows: Sequence[ActionRow],
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """Return the values of each action over time, both sides averaged, and the times."""
        sides: dict[str, list[NDArray[np.float64]]] = {}
        for name in rows[0].actions:
            if name.startswith("eyeLook"):
                continue
            both = name.removesuffix("Left").removesuffix("Right")
            if both in ("jaw", "mouth"):  # to the left, to the right: two movements
                both = name
            sides.setdefault(both, []).append(np.array([row.actions[name] for row in rows]))
        values = {name: np.mean(columns, axis=0) for name, columns in sides.items()}
        return values, np.array([row.time for row in rows])

    def save(self, path: str | Path) -> None:
        """Write a file; the ending says which kind.

        Tables with every row (:meth:`to_records`): ``.csv``, ``.xlsx`` (extra ``excel``),
        ``.jsonl``, ``.parquet`` (extra ``parquet``). Everything (:meth:`to_dict`): ``.json``.

        Raises
        ------
        EmoCLIPError
            Another ending, or the file can't be written.
        """
        save_table(path, "a table of actions", self.to_records, self.to_dict, self.origin)


def _top(actions: Mapping[str, float], k: int) -> list[tuple[str, float]]:
    return sorted(actions.items(), key=lambda item: -item[1])[:k]
