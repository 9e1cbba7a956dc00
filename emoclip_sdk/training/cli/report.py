"""The command that writes the paper's tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .application import app

__all__: list[str] = []


@app.command()
def tables(
    roots: Annotated[Path, typer.Option(help="YAML file that says where datasets and models are.")],
    out: Annotated[Path, typer.Option("-o", "--output", help="Folder of the report.")],
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Frame embeddings. [default: OUTPUT/cache]"),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that read video.", min=0)] = 0,
    draws: Annotated[int, typer.Option(help="Bootstrap draws.", min=0)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference",
            help="Measure as the authors do: one description of each class, one random window of "
            "each clip. For models that were trained with --reference.",
        ),
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1.")
    ] = "auto",
) -> None:
    """Write Tables I to VI and Figure 3 of the paper: what it publishes beside what you measure.

    Every measurement is kept in OUTPUT/measurements and made again only if its inputs change.
    """
    import torch

    from ...cli.output import working
    from ..data.cache import FrameCache
    from ..ness.tables import rating_tables
    from ..paper.tables import Bench, read_roots, write_report

    read = read_roots(roots)
    ratings = rating_tables(read.studies)
    bench = Bench(
        read,
        out / "measurements",
        FrameCache(cache or out / "cache", torch.float32),
        device=device,
        workers=workers,
        draws=draws,
        seed=seed,
        reference=reference,
    )
    with working("measuring"):
        report = write_report(bench, out, ratings)
    for table in report["tables"]:
        rows = [row for part in table["parts"] for row in part["rows"] if not row["others"]]
        done = sum(bool(row["folds"]) for row in rows)
        typer.echo(f"{table['title']}: {done} of {len(rows)} rows measured")
    typer.echo(f"{out / 'report.html'}")
