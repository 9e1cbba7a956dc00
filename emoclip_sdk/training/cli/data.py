"""Commands about datasets on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .application import app
from .outputs import check_dataset_outputs

if TYPE_CHECKING:
    from ..data.crop import CropResult
    from ..data.datasets.check import CheckReport, FoldReport

__all__: list[str] = []

_SHOWN = 5


@app.command()
def check(
    dataset: Annotated[
        str, typer.Option(help="mafw, dfew, ferv39k, afew, ferplus, manifest or folder.")
    ],
    root: Annotated[Path, typer.Option(help="Its folder, or its file.")],
    fold: Annotated[str, typer.Option(help="A number, or all.")] = "1",
    task: Annotated[str, typer.Option(help="single or compound (MAFW).")] = "single",
    frames: Annotated[bool, typer.Option(help="Decode every frame of every clip, too.")] = False,
    sizes: Annotated[
        bool, typer.Option(help="Whether a size other than the published one is a problem.")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes for --frames.")] = (
        os.cpu_count() or 1
    ),
    problems: Annotated[
        Path | None, typer.Option(help="Write all problems to this CSV file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Compare a dataset on disk with its published sizes and list all that is wrong.

    The exit code is 1 when there are problems.
    """
    if task not in ("single", "compound"):
        raise typer.BadParameter("single or compound", param_hint="--task")
    if fold != "all" and not fold.isdecimal():
        raise typer.BadParameter("a number, or all", param_hint="--fold")
    check_dataset_outputs({"--problems": problems}, root)
    from ...cli.output import showing_progress
    from ...runtime.progress import Progress
    from ..data.datasets import DATASETS
    from ..data.datasets.check import check_dataset

    known = DATASETS.get(dataset)
    folds = known.folds if known and fold == "all" else (1,) if fold == "all" else (int(fold),)
    with showing_progress() as show:
        show(Progress(f"reading {dataset}"))
        report = check_dataset(
            dataset,
            root,
            folds=folds,
            task=task,  # type: ignore[arg-type]
            sizes=sizes,
            frames=frames,
            workers=workers,
            progress=show,
        )
    if problems is not None:
        report.write_problems(problems)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2, ensure_ascii=False))
    else:
        _print_report(report, problems)
    raise typer.Exit(1 if report.problems else 0)


def _print_report(report: CheckReport, written: Path | None) -> None:
    from ...cli.output import results_console
    from ..data.datasets import DATASETS
    from ..data.datasets.check import ADVICE

    console = results_console()
    info = DATASETS[report.name]
    for fold in report.folds:
        number = f", fold {fold.fold}" if len(info.folds) > 1 else ""
        task = f", {report.task} task" if len(info.tasks) > 1 else ""
        crops = "face crops" if fold.dataset.cropped else "whole pictures, faces are searched"
        console.print(f"{info.title}{task}{number}: {crops}")
        console.print(_table(fold))
        console.print()
    published = report.folds[0].published
    if published is not None:
        console.print(f"Published sizes: {published.source}.")
    if info.note:
        console.print(info.note)
    for kind, problems in report.by_kind().items():
        console.print(f"{kind}: {len(problems)}. {ADVICE[kind]}")
        for problem in problems[:_SHOWN]:
            console.print(f"  {problem.where}: {problem.what}")
        if len(problems) > _SHOWN:
            more = f"all are in {written}" if written else "--problems FILE writes all"
            console.print(f"  ... and {len(problems) - _SHOWN} more; {more}")
    console.print(f"{len(report.problems)} problems" if report.problems else "No problems.")


def _table(fold: FoldReport) -> object:
    from ...cli.output import new_table

    figures = fold.to_dict()["splits"]
    columns = [c for split in figures for c in (f"{split}>", "published>")]
    table = new_table("class", *columns)

    def cells(entry: dict[str, int | None]) -> list[str]:
        return [str(entry["clips"]), "-" if entry["published"] is None else str(entry["published"])]

    for name in fold.dataset.classes:
        row = [cell for split in figures.values() for cell in cells(split["classes"][name])]
        table.add_row(name, *row)
    table.add_row("all", *[cell for split in figures.values() for cell in cells(split)])
    for what in ("captions", "subjects"):
        if any(split[what] for split in figures.values()):
            published = [split.get(f"published {what}") for split in figures.values()]
            row = [
                cell
                for split, number in zip(figures.values(), published, strict=True)
                for cell in (str(split[what]), "" if number is None else str(number))
            ]
            table.add_row(what, *row)
    return table


@app.command()
def crop(
    videos: Annotated[Path, typer.Argument(help="A folder of videos, in subfolders too.")],
    out: Annotated[Path, typer.Argument(help="Where a folder of PNG files per video goes.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
    size: Annotated[int, typer.Option(min=16, help="Side of a crop in pixels.")] = 224,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Frames per second; all frames without it.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Added around the face, as a fraction of its side.")
    ] = None,
) -> None:
    """Cut the most prominent face out of every video. A run that was interrupted goes on.

    OUT/crop-report.csv lists all videos: done, no face, or failed and why. The exit code is 1 when
    one has failed.
    """
    from ...cli.output import progress
    from ...config import FaceConfig
    from ..data.crop import CropSettings, find_videos, finished, prepare_folder, write_crop_report
    from ..data.crop_pool import crop_videos

    faces = FaceConfig() if margin is None else FaceConfig(margin=margin)
    settings = CropSettings(size, rate, faces)
    jobs, results = find_videos(videos, out)
    prepare_folder(out, settings)
    before = {job: result for job in jobs if (result := finished(job)) is not None}
    results += before.values()
    to_do = [job for job in jobs if job not in before]
    try:
        with progress(len(to_do)) as begin:
            begin(f"{len(to_do)} videos, {len(before)} are done already")

            def done(result: CropResult) -> None:
                results.append(result)
                begin(result.video.name)

            crop_videos(to_do, settings, workers=workers, done=done)
    finally:
        write_crop_report(results, out)
        _print_results(results, out, left=len({j.video for j in jobs} - {r.video for r in results}))
    raise typer.Exit(1 if any(r.status == "failed" for r in results) else 0)


def _print_results(results: list[CropResult], out: Path, left: int) -> None:
    from ...cli.output import results_console
    from ..data.crop import CROP_REPORT

    console = results_console()
    for result in sorted(results, key=lambda r: r.video):
        if result.status != "done":
            why = f": {result.why}" if result.why else ""
            console.print(f"{result.video}: {result.status}{why}")
    counts = [sum(r.status == s for r in results) for s in ("done", "no face", "failed")]
    console.print(
        f"{counts[0]} done, {counts[1]} without a face, {counts[2]} failed: {out / CROP_REPORT}"
    )
    if left:
        console.print(f"{left} are not done yet: the same command goes on with them")
