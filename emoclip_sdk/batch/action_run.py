"""Facial actions of a batch, from its inputs to its output."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from ..inference.actions import FrameRate, frame_rate
from ..inference.options import ReadOptions
from ..inference.people import PeopleChoice
from ..inference.stream import TrackChoice, check_track
from .action_engine import ActionEngine
from .crops import VideoPart
from .inputs import FolderKind
from .people import StudyPeople
from .rows import action_table
from .table_run import (
    BatchReport,
    Inputs,
    Results,
    TableRun,
    local_results,
    reading_settings,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..inference.options import ReadKeywords
    from ..inference.pretrained import PretrainedModel

__all__ = ["run_actions"]


def run_actions(
    inputs: Inputs,
    out: str | PathLike[str],
    *,
    model: PretrainedModel,
    rate: FrameRate = "sampled",
    landmarks: bool = False,
    track: TrackChoice = "all",
    people: PeopleChoice = False,
    keep_identities: bool = False,
    folder_as: FolderKind | None = None,
    workers: int | None = None,
    order: Literal["input", "completed"] = "input",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    **reading: Unpack[ReadKeywords],
) -> BatchReport:
    """Read the facial actions of any number of videos into one table, as :func:`run_batch`.

    One row for each face and frame, as :meth:`EmoCLIP.actions` has them.

    Parameters
    ----------
    rate, landmarks, track
        As in :meth:`EmoCLIP.actions`.
    inputs, out, model, people, keep_identities, folder_as, workers, order, engine, address, \
overwrite, retry_failed, **reading
        As in :func:`run_batch`.

    Raises
    ------
    BatchError, MissingDependencyError, EmoCLIPError
        As by :func:`run_batch`.

    Examples
    --------
    >>> report = run_actions(["portrait.mp4"], "actions.parquet", model=model, workers=1)
    >>> import pyarrow.parquet
    >>> pyarrow.parquet.read_table("actions.parquet")["mouthSmileLeft"][0].as_py() > 0.7
    True
    """
    options, progress = ReadOptions(**reading).without_progress()
    options.require_in_order("a batch of actions")
    frames, faces = frame_rate(rate, model.config.sampling.rate), check_track(track)
    run = TableRun(inputs, out, options, folder_as, workers)
    settings = {
        "table": "actions",
        "rate": "all" if frames is None else frames,
        "landmarks": landmarks,
        "track": faces,
        **reading_settings(model, options),
    }
    study = StudyPeople.of(people, keep_identities, model.reader)
    table = action_table(landmarks)
    if study is not None:
        settings |= study.settings
        table = study.table(table)
    engine_options: dict[str, Any] = dict(
        rate=frames,
        landmarks=landmarks,
        track=faces,
        people=study is not None,
        options=options,
        detector=model.detector,
    )
    local = local_results(
        lambda n: ActionEngine(model.config, workers=n, **engine_options), workers
    )

    def on_ray(videos: Sequence[str | VideoPart]) -> AbstractContextManager[Results]:
        from .on_ray import RayWork, results_on_ray

        def work() -> RayWork:
            return RayWork(model.config, {**engine_options, "workers": 1})

        return results_on_ray(work, videos, actors=workers, address=address)

    return run(
        table,
        settings,
        on_ray if engine == "ray" else local,
        order=order,
        overwrite=overwrite,
        retry_failed=retry_failed,
        progress=progress,
        people=study,
    )
