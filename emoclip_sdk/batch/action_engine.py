"""Facial actions of many videos: every process finds them on its own, no model has to run."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError
from ..export.tables import require_pyarrow, table_schema
from ..faces import FaceDetector, FaceShape
from ..inference.actions import action_columns, action_rows, face_actions
from ..inference.options import ReadOptions
from ..inference.stream import TrackChoice
from ..results.actions import ActionRow
from ..results.numbers import nullable
from ..results.records import NO_FACE, OK
from ..runtime.worker_pool import WorkerPool
from .crops import VideoPart, guarded, new_reader, part_options, part_path
from .local import TIMEOUT, require_picklable
from .tasks import prominent_track

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ActionEngine", "action_schema", "open_action_reader"]

_ROWS = 1000  # of a long video, that wait to be packed


class ActionEngine:
    """Reads the facial actions of videos in any number of processes.

    Parameters
    ----------
    config : ModelConfig
        How faces are found.
    rate : float, optional
        Frames a second. None: every frame.
    landmarks : bool
        Keep the landmarks of each face.
    track
        As in :meth:`EmoCLIP.actions`.
    people : bool
        Find what tells persons apart, too.
    options, detector, workers
        As of :class:`BatchEngine`.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        rate: float | None,
        landmarks: bool = False,
        track: TrackChoice = "all",
        people: bool = False,
        options: ReadOptions,
        detector: FaceDetector | None = None,
        workers: int = 1,
    ) -> None:
        require_picklable(detector)
        self._pool = WorkerPool(
            workers,
            open_action_reader,
            # The pool keeps the time, and ends a process that hangs within a frame.
            (
                config,
                dataclasses.replace(options, timeout=None, progress=None),
                detector,
                rate,
                landmarks,
                track,
                people,
            ),
            timeout=options.timeout or TIMEOUT,
        )

    def __enter__(self) -> ActionEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()

    def __call__(self, videos: Sequence[str | VideoPart]) -> Iterator[tuple[int, Any]]:
        """Read videos; yield their positions and tables, or what is wrong with each.

        With `people`, pairs of a table and what faces look like.
        """
        for event in self._pool.run(videos):
            if event is not None and event.kind not in ("part", "again"):
                yield event.job, event.value


def action_schema(landmarks: bool = False) -> pyarrow.Schema:
    """Return the columns of a table of actions, without those that say which video it is."""
    columns = ["status", *action_columns(landmarks)[1:], "prominent"]
    return table_schema(columns)


def open_action_reader(
    send: Callable[[Any], None],
    config: ModelConfig,
    options: ReadOptions,
    detector: FaceDetector | None,
    rate: float | None,
    landmarks: bool,
    track: TrackChoice,
    people: bool = False,
) -> Callable[[str | VideoPart], Any]:
    """Return the function that reads a video in a worker process.

    From a path, or a part of a video, to a table of `action_schema` (with `people`, and to what
    faces look like), or to what is wrong with the video. Parameters are those of
    :class:`ActionEngine`; nothing is sent before the end.

    Raises
    ------
    EmoCLIPError
        The face detector is not installed.
    """
    reader = new_reader(config, _nothing_encoded, options, detector)
    schema = action_schema(landmarks)

    def read(video: str | VideoPart) -> Any:
        pa = require_pyarrow()
        own = part_options(video, options)
        faces = reader.shapes(part_path(video), own, rate, people=people)
        rows: Iterator[ActionRow]
        if track == "prominent":  # who that is, the end tells
            rows = iter(face_actions(faces, track, landmarks).rows)
        else:
            rows = action_rows(faces, track, landmarks)
        tables, status = [schema.empty_table()], NO_FACE
        # A packed row takes a tenth of what it takes in Python.
        while some := list(itertools.islice(rows, _ROWS)):
            status = OK if any(row.reason is None for row in some) else status
            tables.append(
                pa.Table.from_pylist([nullable(row.to_record("")) for row in some], schema)
            )
        table = pa.concat_tables(tables)
        best = prominent_track(faces.tracks)
        flags = [None if one is None else one == best for one in table["track"].to_pylist()]
        for name, values in (("status", [status] * len(flags)), ("prominent", flags)):
            place = schema.get_field_index(name)
            table = table.set_column(
                place, schema.field(name), pa.array(values, schema.types[place])
            )
        table = table.combine_chunks()
        return table if faces.identities is None else (table, faces.identities())

    return guarded(read)


def _nothing_encoded(
    crops: NDArray[np.uint8], shapes: Sequence[FaceShape | None]
) -> NDArray[np.float32]:
    raise EmoCLIPError("facial actions take no embedding")
