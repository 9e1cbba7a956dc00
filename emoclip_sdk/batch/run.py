"""Scores of many videos: which table, which task, which engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BatchError
from ..inference.baseline import baseline_kind, check_span, neutral_labels
from ..inference.options import STEP, WINDOW, ReadOptions
from ..inference.people import PeopleChoice
from ..inference.stream import TrackChoice, check_track
from ..inference.windows import check_windows
from .crops import VideoPart
from .events import EventSource, StudyEvents
from .inputs import BatchInput, FolderKind
from .local import BatchEngine
from .people import PeopleTask, StudyPeople
from .rows import clip_table, event_table, window_table
from .speech import StudySpeech
from .table_run import (
    BatchReport,
    Inputs,
    Results,
    TableRun,
    local_results,
    reading_settings,
)
from .tasks import BatchTask, ClipTask, WindowTask

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from ..inference.options import ReadKeywords
    from ..inference.pretrained import PretrainedModel
    from ..prompts import CompoundMode, LabelSet

__all__ = ["run_batch"]


def run_batch(
    inputs: Inputs,
    out: str | PathLike[str],
    *,
    model: PretrainedModel,
    labels: LabelSet | None = None,
    window: float | None = None,
    step: float | None = None,
    events: EventSource | None = None,
    tier: str | None = None,
    threshold: float = 0.5,
    track: TrackChoice | None = None,
    compound: CompoundMode = "average",
    min_score: float | None = None,
    min_quality: float = 0.0,
    multi_label: bool = False,
    actions: bool = False,
    baseline: Literal["auto"] | tuple[float, float] | None = None,
    people: PeopleChoice = False,
    keep_identities: bool = False,
    speakers: Sequence[str] | None = None,
    silent: bool = False,
    folder_as: FolderKind | None = None,
    workers: int | None = None,
    order: Literal["input", "completed"] = "input",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    **reading: Unpack[ReadKeywords],
) -> BatchReport:
    """Score any number of videos into one table. Run it again to go on where it stopped.

    One row for each video (``track="all"``: for each face); with `window` or `step`, for each face
    and window; with `events`, for each face and event. Rows of a video that could not be read have
    the status ``failed`` and say why.

    Processes are started by "spawn": a script that calls this needs the line
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    inputs : path or iterable of paths
        Folders, manifests (``.csv``, ``.tsv``), videos and pictures; see :func:`find_inputs`. Where
        a manifest has a column ``baseline_for``, the rows say what differs from the baseline of
        each person: the mean of the rows of the lines that name this person there. With windows or
        events, a column ``speech`` names the files that say who speaks; see :func:`read_speech`.
    out : path
        Ends in ``.parquet``, ``.csv``, ``.xlsx`` or ``.jsonl``. Beside the last three is a
        Parquet file with the same rows (``scores.csv.parquet``), with which the next run goes on.
    model : PretrainedModel
    labels, compound, min_score, min_quality, multi_label, **reading
        As in :meth:`EmoCLIP.classify`. `progress` is told of whole videos.
    window, step : float, optional
        Length and distance of windows in seconds, as in :meth:`EmoCLIP.timeline`. One alone: the
        other is 2 and 1. With `events`, of the windows that these are summed up from.
    events : path or iterable of Event, optional
        A table of trials, a document of ELAN or a folder of them; see :func:`read_events`. Videos
        without an event are not read, unless the manifest calls them a baseline.
    tier : str, optional
        Of the document of ELAN.
    threshold : float
        Of the episodes that latencies in events lead to; see :meth:`Timeline.episodes`.
    track : {"prominent", "all"} or int, optional
        Which faces have rows. None: the most prominent one; with windows or events, all.
    actions : bool
        Average facial actions, head pose and gaze over the frames that are scored, too; of events,
        their mean and maximum.
    baseline : {"auto"} or (float, float), optional
        Of windows: what differs from each face's own neutral moment in its video, or from a span of
        it in seconds, as in :meth:`EmoCLIP.timeline`. Across files: the column ``baseline_for``.
    people : bool or mapping of str to photos
        Say which faces are the same person, over all videos, as in :meth:`EmoCLIP.timeline`.
    keep_identities : bool
        Leave what faces look like in the Parquet file, without which a finished table takes no
        further videos: biometric data, that identify people.
    speakers : sequence of str, optional
        Of the files in the column ``speech``: who counts; a column ``speech_speaker`` says it line
        by line. None: everybody.
    silent : bool
        Only windows in which nobody speaks have scores, and count in events; see
        :meth:`Timeline.silent`.
    folder_as : {"pictures", "video"}, optional
        What the pictures in folders are; see :func:`find_inputs`.
    workers : int, optional
        Processes that decode videos and find faces; with Ray, actors, each of which holds a model.
        None: one for each processor; with Ray and a model on a GPU, for each GPU.
    order : {"input", "completed"}
        Order of the rows.
    engine : {"local", "ray"}
        "ray": on all machines of a Ray cluster, which must see the videos under the same paths.
    address : str, optional
        Of the cluster, as in ``ray.init``. None: the one that is running here, or else a new one.
    overwrite : bool
        Begin anew where the output, or a part of it, exists.
    retry_failed : bool
        Read those once more that failed in an earlier run.

    Raises
    ------
    BatchError
        No videos, or an output that can't be used: see :func:`find_inputs`, :class:`ResultStore`.
    MissingDependencyError
        pyarrow or Ray is not installed.
    EmoCLIPError
        An option has no such value, labels can't be used, a detector can't be sent to processes, or
        the output can't be written.

    Examples
    --------
    >>> report = run_batch(["portrait.mp4"], "scores.parquet", model=model, workers=1)
    >>> report.total, report.no_face, report.failed
    (1, (), {})
    >>> report = run_batch(["portrait.mp4"], "w.parquet", model=model, window=1, workers=1)
    >>> import pyarrow.parquet
    >>> pyarrow.parquet.read_table("w.parquet")["start"].to_pylist()
    [0.0, 1.0, 2.0]
    """
    options, progress = ReadOptions(**reading).without_progress()
    over_time = window is not None or step is not None or events is not None
    if over_time:
        window = WINDOW if window is None else window
        step = STEP if step is None else step
        check_windows(window, step)
        options.require_in_order("a batch of windows")
    if events is None and (tier is not None or threshold != 0.5):
        raise BatchError("tier and threshold are for events: say which")
    if not 0 <= threshold <= 1:
        raise BatchError(f"threshold is a score in [0, 1], not {threshold}")
    own = _own_baseline(baseline, options, windows=over_time and events is None)
    faces = check_track(track if track is not None else "all" if over_time else "prominent")
    run = TableRun(inputs, out, options, folder_as, workers)
    scorer = model.scorer(labels, compound, min_score, min_quality, multi_label)
    speech = _speech(run.videos, speakers, silent, over_time)
    weights = _weights_hash(model.encoder.network.state_dict())
    settings = {
        "model": model.name,
        "revision": model.revision,
        "weights": weights,
        "dtype": str(model.encoder.dtype).removeprefix("torch."),
        "prompt bank": scorer.model.prompt_bank,
        "labels": list(scorer.labels),
        "compound": compound,
        "track": faces,
        **reading_settings(model, options),
        "min_score": scorer.min_score,
        "min_quality": scorer.min_quality,
        "actions": actions,
    }
    if multi_label:  # what was begun by versions without it goes on
        settings |= {"multi_label": True}
    if over_time:
        settings |= {"window": window, "step": step}
    if own is not None:
        settings |= {"baseline": own if own == "auto" else list(own)}
    task: BatchTask[Any]
    if over_time:
        assert window is not None and step is not None
        neutral = None
        if own == "auto":
            neutral = model.scorer(neutral_labels(model.labels), "average", 0.0)
        task = WindowTask(scorer, window, step, faces, actions, own, neutral)
        table = window_table(scorer.labels, scorer.model, weights, actions, own is not None, speech)
    else:
        task = ClipTask(scorer, faces)
        table = clip_table(scorer.labels, weights, actions)
    if speech is not None:
        settings |= {"speech": speech.digest}
    lists: Sequence[Mapping[str, str]] | None = None
    if events is not None:
        study = StudyEvents.of(run.videos, events, tier)
        run.videos = study.videos
        table = event_table(
            scorer.labels, scorer.model, weights, study.events, threshold, actions, speech
        )
        settings |= {"events": study.digest, "threshold": threshold}
        lists = study.lines
    who = StudyPeople.of(people, keep_identities, model.reader)
    if who is not None:
        settings |= who.settings
        table, task = who.table(table), PeopleTask(task)
    engine_options: dict[str, Any] = dict(
        options=options,
        detector=model.detector,
        actions=actions or own is not None,
        people=who is not None,
    )
    local = local_results(
        lambda n: BatchEngine(
            model.encoder.frames, task, model.config, workers=n, **engine_options
        ),
        workers,
    )

    def on_ray(videos: Sequence[str | VideoPart]) -> AbstractContextManager[Results]:
        from .on_ray import RayWork, results_on_ray

        def work() -> RayWork:
            return RayWork.of(model.encoder, task, model.config, {**engine_options, "workers": 1})

        return results_on_ray(work, videos, encoder=model.encoder, actors=workers, address=address)

    return run(
        table,
        settings,
        on_ray if engine == "ray" else local,
        order=order,
        overwrite=overwrite,
        retry_failed=retry_failed,
        progress=progress,
        lists=lists,
        people=who,
    )


def _speech(
    videos: Mapping[str, BatchInput], speakers: Sequence[str] | None, silent: bool, over_time: bool
) -> StudySpeech | None:
    """Read who speaks, where windows or events are scored; None where nothing says it."""
    if not over_time:
        if speakers is not None or silent:
            raise BatchError("speakers and silent are for windows or events: say which")
        return None
    return StudySpeech.of(videos, speakers, silent) or None


def _own_baseline(
    choice: Any, options: ReadOptions, *, windows: bool
) -> Literal["auto"] | tuple[float, float] | None:
    """Check a baseline that is in each video itself."""
    kind = baseline_kind(choice)
    if kind is None:
        return None
    if kind == "video":
        raise BatchError(
            "one video is no baseline of many: name persons in a column 'baseline_for' of the "
            "manifest"
        )
    if not windows:
        raise BatchError("baseline is for windows: say window or step")
    if kind == "auto":
        return "auto"
    check_span(choice, options)
    return float(choice[0]), float(choice[1])


def _weights_hash(state: Mapping[str, torch.Tensor]) -> str:
    """Identify weights as they are in memory, so that the precision counts."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(flat.numpy().data)
    return digest.hexdigest()[:12]
