"""``emoclip batch``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import BatchError
from . import options as o
from .loading import load_model, requested_labels
from .output import complain, progress_bar
from .outputs import check_outputs
from .videos import refuse_labels

__all__ = ["batch"]

_SHOWN = 10  # failed videos that are named at the end; the output has them all


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Folders, which are searched for videos; manifests (.csv or .tsv with a column "
            "'path' or 'video', whose other columns are carried along; start and end: seconds); "
            "videos.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .parquet, .csv or .jsonl file.")
    ],
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    track: o.Track = "prominent",
    faces: o.Faces = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    prompts: o.Prompts = None,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    actions: o.Actions = False,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes that decode; with Ray, actors. [default: one for each processor]",
        ),
    ] = None,
    order: Annotated[
        Literal["input", "completed"], typer.Option(help="Order of the rows.")
    ] = "input",
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This machine, or a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="A", help="Of the cluster, e.g. auto. [default: a new one, here]"),
    ] = None,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew where the output exists.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Read those again that failed before.")
    ] = False,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels on many videos, into one table.

    One row per video (with --track all, per face), also where it failed. However it ends, the same
    command goes on where it stopped.
    """
    from ..batch import find_inputs, run_batch
    from ..batch.store import beside
    from ..export.tables import TABLES, require_pyarrow

    chosen = o.parse_track(track)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end
    )
    if output.suffix.lower() not in TABLES:
        raise typer.BadParameter(
            f"'{output}' does not end in {', '.join(TABLES)}.", param_hint="-o"
        )
    if address is not None and engine != "ray":
        raise typer.BadParameter("is for --engine ray.", param_hint="--address")
    refuse_labels(inputs, labels)
    require_pyarrow()  # now, not after the model was loaded
    done = total = 0
    try:
        items = find_inputs(inputs)
        check_outputs({"-o": [output, *beside(output)]}, inputs, labels_file, prompts)
        loaded = load_model(model, device, dtype, prompts)
        requested = requested_labels(loaded, labels, label, labels_file, compound)
        with _bar() as show:

            def progress(finished: int, of: int, name: str) -> None:
                nonlocal done, total
                done, total = finished, of
                show(finished, of, name)

            report = run_batch(
                items,
                output,
                model=loaded,
                labels=requested,
                track=chosen,
                min_score=min_score,
                min_quality=min_quality,
                actions=actions,
                workers=workers,
                order=order,
                engine=engine,
                address=address,
                overwrite=overwrite,
                retry_failed=retry_failed,
                progress=progress,
                **reading,
            )
    except BatchError as error:
        raise typer.BadParameter(str(error), param_hint="batch") from None
    except KeyboardInterrupt:
        complain(f"stopped: {done} of {total} videos are done; the same command goes on from there")
        raise typer.Exit(130) from None
    complain(
        f"wrote {report.out}: {report.total} videos, {len(report.no_face)} without a face, "
        f"{len(report.failed)} failed"
        + (f" ({report.skipped} were done before)" if report.skipped else "")
    )
    for name, why in list(report.failed.items())[:_SHOWN]:
        complain(f"{name}: {why}")
    if len(report.failed) > _SHOWN:
        complain(f"and {len(report.failed) - _SHOWN} more that failed, see the column 'error'")
    if report.failed:
        raise typer.Exit(1)


@contextmanager
def _bar() -> Iterator[Callable[[int, int, str], None]]:
    """Show how many videos are done and how long the rest takes, on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    name = TextColumn("{task.description}", markup=False)
    with progress_bar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), name) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        yield show
