"""``emoclip bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options as o
from .output import new_table, print_json, results_console, showing_progress

__all__ = ["bench"]


def bench(
    turns: Annotated[
        int, typer.Option("--short", metavar="N", min=0, help="Turns of the rows of one clip.")
    ] = 5,
    clips: Annotated[
        int, typer.Option(metavar="N", min=0, help="Short clips for a batch; 0: no such row.")
    ] = 200,
    media: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="A folder of real clips: compare boxes and scores on them, too.",
        ),
    ] = None,
    long: Annotated[
        bool,
        typer.Option("--long", help="A timeline, and actions, of 60 against 5 minutes of 720p."),
    ] = False,
    interview: Annotated[
        bool, typer.Option("--interview", help="Clips of 120 against 10 minutes of 480p.")
    ] = False,
    as_json: o.AsJSON = False,
) -> None:
    """Measure speed and memory on this machine, beside a reference pipeline.

    Contestants take turns, so a machine that changes its speed changes it for all of them. Figures
    are medians and ratios of medians. ViT-B/32 has random weights: it serves for speed alone.
    """
    with showing_progress() as hook:
        from ..diagnostics.bench import run_benchmarks

        results = run_benchmarks(
            turns=turns,
            clips=clips,
            media=media,
            long=long,
            interview=interview,
            progress=hook,
        )
    if as_json:
        print_json(results)
        return
    console = results_console()
    console.print(", ".join(f"{name}: {value}" for name, value in results["machine"].items()))
    table = new_table("figure", "ratio>", "goal>")
    for row in results["rows"]:
        table.add_row(row["figure"], f"{row['ratio']:.3f}", row["goal"])
    console.print(table)
