"""A batch from its inputs to its output: what is done is skipped, what comes is kept."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BatchError, EmoCLIPError
from ..export.files import check_output
from ..export.tables import TABLES, save_records
from ..inference.options import ReadOptions, face_config
from ..inference.scorer import Scorer
from ..inference.stream import TrackChoice, check_track
from ..results.numbers import json_value
from ..results.records import NO_FACE, Prediction
from ..runtime.processes import usable_cpus
from .crops import VideoPart
from .inputs import BatchInput, find_inputs
from .local import BatchClassifier
from .rows import prediction_rows, row_schema
from .store import ResultStore, beside, store_path

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from ..inference.options import ReadKeywords
    from ..inference.pretrained import PretrainedModel
    from ..prompts import CompoundMode, LabelSet

__all__ = ["BatchReport", "run_batch"]


@dataclass(frozen=True)
class BatchReport:
    """What has become of a batch.

    Attributes
    ----------
    out : Path
        The table.
    total : int
        Videos of the batch.
    skipped : int
        Those among them that an earlier run had done.
    no_face : tuple of str
        Videos without a face.
    failed : dict of str to str
        Videos that could not be read, and why.
    """

    out: Path
    total: int
    skipped: int
    no_face: tuple[str, ...]
    failed: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {name: json_value(value) for name, value in vars(self).items()} | {
            "out": str(self.out)
        }


@dataclass(frozen=True)
class _Engine:
    """How videos are classified; see the parameters of :func:`run_batch`."""

    model: PretrainedModel
    scorer: Scorer
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    address: str | None = None

    @contextmanager
    def results(
        self, videos: Sequence[str | VideoPart]
    ) -> Iterator[Iterator[tuple[int, list[Prediction]]]]:
        """Yield positions and predictions, as they are ready."""
        model = self.model
        options = dict(self.options)
        workers = options.pop("workers")
        if not videos:
            yield iter(())
        elif self.kind == "ray":
            from .on_ray import classify_on_ray

            with classify_on_ray(
                model.encoder, self.scorer, videos, actors=workers, address=self.address, **options
            ) as results:
                yield results
        else:
            workers = min(workers or usable_cpus(), len(videos))
            encode = model.encoder.frames
            with BatchClassifier(
                encode, self.scorer, model.config, workers=workers, **options
            ) as classify:
                yield classify(videos)


def run_batch(
    inputs: str | PathLike[str] | Iterable[str | PathLike[str] | BatchInput],
    out: str | PathLike[str],
    *,
    model: PretrainedModel,
    labels: LabelSet | None = None,
    track: TrackChoice = "prominent",
    compound: CompoundMode = "average",
    min_score: float | None = None,
    min_quality: float = 0.0,
    actions: bool = False,
    workers: int | None = None,
    order: Literal["input", "completed"] = "input",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    **reading: Unpack[ReadKeywords],
) -> BatchReport:
    """Classify any number of videos into one table. Run it again to go on where it stopped.

    One row for each video (``track="all"``: for each face). Rows of a video that could not be read
    have the status ``failed`` and say why.

    Processes are started by "spawn": a script that calls this needs the line
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    inputs : path or iterable of paths
        Folders, manifests (``.csv``, ``.tsv``) and videos; see :func:`find_inputs`.
    out : path
        Ends in ``.parquet``, ``.csv`` or ``.jsonl``. Beside the last two is a Parquet file with the
        same rows (``scores.csv.parquet``), with which the next run goes on.
    model : PretrainedModel
    labels, track, compound, min_score, min_quality, **reading
        As in :meth:`EmoCLIP.classify`.
    actions : bool
        Average facial actions, head pose and gaze over the frames that are scored, too.
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
    progress : callable, optional
        Called with the number of videos that are done, of all of them, and the latest one's name.

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
    """
    out = Path(out)
    if out.suffix.lower() not in TABLES:
        raise BatchError(f"{out}: the output's name must end in {', '.join(TABLES)}")
    if workers is not None and workers < 1:
        raise BatchError("workers must be at least 1")
    track, options = check_track(track), ReadOptions(**reading)
    several = [inputs] if isinstance(inputs, (str, PathLike)) else inputs
    several = list(several)
    videos = {item.name: item for item in find_inputs(several)}
    _check_output(out, several, videos.values())
    if options.is_part and any(item.job != item.path for item in videos.values()):
        raise BatchError("the manifest says which parts to read: leave start and end out")
    scorer = model.scorer(labels, compound, min_score, min_quality)
    _check_columns(videos, scorer.labels, actions)
    weights = _weights_hash(model.encoder.network.state_dict())
    settings = {
        "model": model.name,
        "revision": model.revision,
        "weights": weights,
        "dtype": str(model.encoder.dtype).removeprefix("torch."),
        "prompt bank": scorer.model.prompt_bank,
        "labels": list(scorer.labels),
        "compound": compound,
        "track": track,
        "detector": "mtcnn" if model.detector is None else type(model.detector).__qualname__,
        "faces": dataclasses.asdict(face_config(model.config.faces, options.faces)),
        "sampling": options.sampling,
        "seed": options.seed,
        "fps": options.fps,
        "min_score": scorer.min_score,
        "min_quality": scorer.min_quality,
        "actions": actions,
    }
    if options.is_part:  # what was begun by versions without parts goes on
        settings |= {"start": options.start, "end": options.end}
    engine_options = dict(
        track=track, options=options, detector=model.detector, actions=actions, workers=workers
    )
    file = store_path(out)
    if file != out and out.exists() and not file.exists() and not overwrite:
        raise BatchError(
            f"{out}: is there already, without the {file.name} to go on with. Use another "
            "output, or --overwrite to begin anew"
        )
    with ResultStore(file, scorer.labels, settings, actions=actions, overwrite=overwrite) as store:
        done = {name for name in videos if name in store.status}
        if retry_failed:
            done = {name for name in done if name not in store.errors}
        rest = [item for name, item in videos.items() if name not in done]
        finished = len(done)
        if progress is not None:
            progress(finished, len(videos), "")
        run = _Engine(model, scorer, engine, engine_options, address)
        with run.results([item.job for item in rest]) as results:
            for number, predictions in results:
                name = rest[number].name
                store.add(prediction_rows(name, predictions, weights))
                finished += 1
                if progress is not None:
                    progress(finished, len(videos), name)
        store.merge({name: item.columns for name, item in videos.items()}, order)
        if file != out:
            save_records(store.rows(), out, store.columns())
        return BatchReport(
            out,
            len(videos),
            len(done),
            tuple(name for name in videos if store.status[name] == NO_FACE),
            {name: store.errors[name] for name in videos if name in store.errors},
        )


def _check_output(
    out: Path,
    given: Sequence[str | PathLike[str] | BatchInput],
    videos: Iterable[BatchInput],
) -> None:
    """Refuse an output, or what is written beside it, that is read."""
    # Of the videos only those that could be meant: a batch may have a million.
    read = [*given, *(item.path for item in videos if out.name in item.path)]
    for path in (out, *beside(out)):
        try:
            check_output(path, read)
        except EmoCLIPError as error:
            raise BatchError(str(error)) from None


def _check_columns(videos: Mapping[str, BatchInput], labels: Sequence[str], actions: bool) -> None:
    """Refuse a manifest whose columns would be mistaken for the model's."""
    columns = set(row_schema(labels, actions).names)
    for item in videos.values():
        for name in item.columns:
            if name in columns:
                raise BatchError(
                    f"the manifest has a column '{name}', which the output needs: rename it"
                )


def _weights_hash(state: Mapping[str, torch.Tensor]) -> str:
    """Identify weights as they are in memory, so that the precision counts."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(flat.numpy().data)
    return digest.hexdigest()[:12]
