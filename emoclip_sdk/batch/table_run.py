"""From a list of videos to a table: what earlier runs have done is skipped, the rest is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BatchError, EmoCLIPError
from ..export.files import check_output
from ..export.tables import TABLES, save_records
from ..faces.small_faces import require_min_face
from ..inference.options import ReadOptions, face_config
from ..results.numbers import json_value
from ..results.records import NO_FACE
from ..runtime.metering import count_progress, open_progress
from ..runtime.processes import usable_cpus
from ..runtime.progress import ProgressOption
from .baselines import BASELINE_FOR, PersonBaselines, is_compared, person_column
from .crops import VideoPart
from .inputs import BatchInput, FolderKind, find_inputs
from .rows import BatchTable
from .store import ResultStore, beside, store_path

if TYPE_CHECKING:
    from ..inference.pretrained import PretrainedModel

__all__ = [
    "BatchReport",
    "Inputs",
    "Results",
    "TableRun",
    "local_results",
    "reading_settings",
]

Inputs = str | PathLike[str] | Iterable[str | PathLike[str] | BatchInput]
"""Folders, manifests, videos and pictures."""
Results = Iterator[tuple[int, Any]]
"""Positions of videos, and what was found in each, as they are ready."""

_PARTS = {"start": "part_start", "end": "part_end"}


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


class TableRun:
    """The inputs and the output of a batch, checked before anything is read.

    Parameters
    ----------
    inputs, out, folder_as, workers
        As in :func:`run_batch`.
    options : ReadOptions

    Attributes
    ----------
    videos : dict of str to BatchInput
        By their names, in order.

    Raises
    ------
    BatchError
        They can't be used.
    """

    def __init__(
        self,
        inputs: Inputs,
        out: str | PathLike[str],
        options: ReadOptions,
        folder_as: FolderKind | None,
        workers: int | None,
    ) -> None:
        self.out = Path(out)
        if self.out.suffix.lower() not in TABLES:
            raise BatchError(f"{out}: the output's name must end in {', '.join(TABLES)}")
        if workers is not None and workers < 1:
            raise BatchError("workers must be at least 1")
        given = [inputs] if isinstance(inputs, (str, PathLike)) else list(inputs)
        self.videos = {item.name: item for item in find_inputs(given, folder_as)}
        self._check_output(given)
        if options.is_part and any(item.job != item.path for item in self.videos.values()):
            raise BatchError("the manifest says which parts to read: leave start and end out")

    def _check_output(self, given: Sequence[Any]) -> None:
        """Refuse an output, or what is written beside it, that is read."""
        out = self.out
        # Of the videos only those that could be meant: a batch may have a million.
        read = [*given, *(item.path for item in self.videos.values() if out.name in item.path)]
        for path in (out, *beside(out)):
            try:
                check_output(path, read)
            except EmoCLIPError as error:
                raise BatchError(str(error)) from None

    def __call__(
        self,
        table: BatchTable,
        settings: Mapping[str, Any],
        results: Callable[[Sequence[str | VideoPart]], AbstractContextManager[Results]],
        *,
        order: Literal["input", "completed"],
        overwrite: bool,
        retry_failed: bool,
        progress: ProgressOption,
        lists: Sequence[Mapping[str, str]] | None = None,
    ) -> BatchReport:
        """Read the videos that are not done yet, and write the table.

        Parameters
        ----------
        table : BatchTable
        settings : mapping
            What makes rows comparable; see :class:`ResultStore`.
        results : callable
            Opens what reads videos: yields their positions and results as they are ready.
        order, overwrite, retry_failed, progress
            As in :func:`run_batch`.
        lists : sequence of mapping of str to str, optional
            Lines in which persons and their baselines are named; by default those of the manifest.
        """
        out, videos = self.out, self.videos
        columns = self._manifest_columns(table)
        person = person_column(list(columns.values()) if lists is None else lists)
        if person is not None and not table.compared:
            raise BatchError(
                f"the column {BASELINE_FOR} says what is compared with what: leave baseline out"
            )
        baselines = None if person is None else PersonBaselines(person, table.compared)
        file = store_path(out)
        if file != out and out.exists() and not file.exists() and not overwrite:
            raise BatchError(
                f"{out}: is there already, without the {file.name} to go on with. Use another "
                "output, or --overwrite to begin anew"
            )
        with (
            open_progress(progress) as hook,
            ResultStore(
                file, table.schema, settings, many_rows=table.many_rows, overwrite=overwrite
            ) as store,
        ):
            done = {name for name in videos if name in store.status}
            if retry_failed:
                done = {name for name in done if name not in store.errors}
            rest = [item for name, item in videos.items() if name not in done]
            finished = len(done)
            report = count_progress(hook or (lambda progress: None), len(videos), finished)
            report(finished, "")
            if rest:
                with results([item.job for item in rest]) as coming:
                    for number, result in coming:
                        store.add(table.rows(rest[number], result))
                        finished += 1
                        report(finished, rest[number].name)
            store.merge(columns, order, baselines)
            if file != out:
                save_records(store.rows(), out, store.columns())
            return BatchReport(
                out,
                len(videos),
                len(done),
                tuple(name for name in videos if store.status[name] == NO_FACE),
                {name: store.errors[name] for name in videos if name in store.errors},
            )

    def _manifest_columns(self, table: BatchTable) -> dict[str, dict[str, str]]:
        """Return what the manifest says of each video.

        Raises
        ------
        BatchError
            A column of it would be mistaken for one of the table's.
        """
        own = set(table.schema.names)
        # A window has a start and an end of its own.
        renamed = {name: new for name, new in _PARTS.items() if name in own}
        columns = {
            name: {renamed.get(column, column): text for column, text in item.columns.items()}
            for name, item in self.videos.items()
        }
        for few in columns.values():
            for name in few:
                if name in own or is_compared(name):
                    raise BatchError(
                        f"the manifest has a column '{name}', which the output needs: rename it"
                    )
        return columns


def local_results(
    engine: Callable[[int], Any], workers: int | None
) -> Callable[[Sequence[str | VideoPart]], AbstractContextManager[Results]]:
    """Return what reads videos with an engine of so many processes on this machine."""

    @contextmanager
    def results(videos: Sequence[str | VideoPart]) -> Iterator[Results]:
        with engine(min(workers or usable_cpus(), len(videos))) as read:
            yield read(videos)

    return results


def reading_settings(model: PretrainedModel, options: ReadOptions) -> dict[str, Any]:
    """Return what makes rows comparable of the way in which videos are read.

    Raises
    ------
    EmoCLIPError
        `options.min_face` can't count.
    """
    faces = face_config(model.config.faces, options.faces)
    require_min_face(model.detector, faces.detector != "none", options.min_face)
    settings = {
        "detector": "mtcnn" if model.detector is None else type(model.detector).__qualname__,
        "faces": dataclasses.asdict(faces),
        "sampling": options.sampling,
        "seed": options.seed,
        "fps": options.fps,
    }
    if options.is_part:  # what was begun by versions without parts goes on
        settings |= {"start": options.start, "end": options.end}
    if options.min_face is not None:
        settings |= {"min_face": options.min_face}
    return settings
