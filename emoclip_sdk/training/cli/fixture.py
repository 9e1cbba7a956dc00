"""Command that draws synthetic datasets."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from .application import app

__all__: list[str] = []


@app.command("make-fixture")
def make_fixture(
    dataset: Annotated[
        str, typer.Option(help="mafw, dfew, ferv39k, afew, ferplus, manifest, order or ness.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="A new or empty folder.")],
    clips_per_class: Annotated[int, typer.Option(help="At least 5.")] = 24,
    size: Annotated[int, typer.Option(help="Side of the frames in pixels.")] = 64,
    frames: Annotated[
        tuple[int, int], typer.Option(help="Smallest and largest number of frames of a clip.")
    ] = (16, 32),
    subjects: Annotated[
        int | None, typer.Option(help="Number of people. [default: 50; ness: 69]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same dataset.")] = 0,
    nuisance: Annotated[
        float, typer.Option(help="How much pose, light, background and noise vary, 0 to 1.")
    ] = 1.0,
    compounds: Annotated[
        int | None,
        typer.Option(help="mafw: clips of each compound class, 0 for none; else a third."),
    ] = None,
    label_base: Annotated[int, typer.Option(help="dfew: labels count from 0 or from 1.")] = 0,
    interviews: Annotated[int, typer.Option(help="ness: how many.")] = 113,
    minutes: Annotated[
        tuple[float, float], typer.Option(help="ness: shortest and longest interview.")
    ] = (10.0, 30.0),
    videos: Annotated[
        bool,
        typer.Option(
            "--videos",
            help="manifest, order: mp4 files, not folders of frames. ness: drawn faces, not "
            "planted embeddings.",
        ),
    ] = False,
    as_released: Annotated[
        bool,
        typer.Option(
            "--as-released",
            help="mafw, dfew, ferv39k: folders and lists as their authors hand them out, with a "
            "broken clip, odd rows, and compound folds that overlap with single training.",
        ),
    ] = False,
    processes: Annotated[int, typer.Option(help="How many processes draw.")] = 1,
) -> None:
    """Draw a small synthetic dataset in the layout that the real one has on disk.

    A generated face moves from neutral to the action units of its class. What it shows is in
    ground_truth.csv. For ness: interviews whose ratings depend on how much the face moves; what a
    probe can reach at best is in best_possible.json.
    """
    from ...cli.output import working

    if dataset == "ness":
        from ..synthetic.interviews import draw_interview, make_interviews

        write = functools.partial(draw_interview, size=size, seed=seed) if videos else None
        with working("drawing interviews"):
            make_interviews(
                out,
                patients=69 if subjects is None else subjects,
                interviews=interviews,
                minutes=minutes,
                seed=seed,
                write=write,
            )
        typer.echo(f"{out}: ness, {interviews} interviews; the manifest is {out / 'manifest.csv'}")
        return
    from ..synthetic import GROUND_TRUTH, make_synthetic

    with working("drawing clips"):
        make_synthetic(
            dataset,
            out,
            clips_per_class=clips_per_class,
            size=size,
            frames=frames,
            subjects=50 if subjects is None else subjects,
            seed=seed,
            nuisance=nuisance,
            compounds=compounds,
            label_base=label_base,
            videos=videos,
            as_released=as_released,
            processes=processes,
        )
    typer.echo(f"{out}: {dataset}, drawn; what its clips show is in {out / GROUND_TRUTH}")
