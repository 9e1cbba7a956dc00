"""Commands that train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .application import app

__all__: list[str] = []


@app.command()
def contrastive(
    root: Annotated[
        Path, typer.Option(help="ferplus.npz, or a CSV file with path, caption and split.")
    ],
    out: Annotated[Path, typer.Option(help="Where the checkpoint folder is written.")],
    dataset: Annotated[str, typer.Option(help="ferplus or captions.")] = "ferplus",
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a YAML file.")] = "mini",
    run: Annotated[
        Path | None,
        typer.Option(help="Run folder: finished stages in it are not done again."),
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, overrides the recipe.")
    ] = None,
) -> None:
    """Train a model on pictures or clips with captions, and write it as a checkpoint folder."""
    from ..mini import MiniRecipe, export
    from ..recipe import load_recipe

    content = load_recipe(recipe, change or ())
    mini = MiniRecipe(content, dataset, root, run or out.with_name(out.name + "-run"))
    typer.echo(json.dumps(export(mini, out), indent=2))
