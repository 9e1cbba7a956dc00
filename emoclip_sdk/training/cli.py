"""The command ``emoclip-train``: parse, call, print."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import EmoCLIPError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train and evaluate EmoCLIP models.",
)


@app.callback()
def _setup() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)


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
    from .mini import MiniRecipe, export
    from .recipe import load_recipe

    content = load_recipe(recipe, change or ())
    mini = MiniRecipe(content, dataset, root, run or out.with_name(out.name + "-run"))
    typer.echo(json.dumps(export(mini, out), indent=2))


@app.command()
def evaluate(
    root: Annotated[Path, typer.Option(help="The dataset: ferplus.npz.")],
    dataset: Annotated[str, typer.Option(help="ferplus")] = "ferplus",
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "valid",
    prompts: Annotated[
        str, typer.Option(help="bank, words, or a YAML file of name: sentence.")
    ] = "bank",
    model: Annotated[
        str | None, typer.Option(help="Folder, Hub repository or baseline; else the embedded one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Classify a labelled split zero-shot: WAR, UAR and the recall of each class."""
    if dataset != "ferplus":
        raise typer.BadParameter("ferplus is the only dataset so far", param_hint="--dataset")
    if split not in ("train", "valid", "test"):
        raise typer.BadParameter("train, valid or test", param_hint="--split")
    from ..model import EmoCLIP
    from .evaluate import evaluate_pictures
    from .ferplus import load_ferplus

    pictures = load_ferplus(root, split)  # type: ignore[arg-type]
    figures = evaluate_pictures(EmoCLIP.from_pretrained(model), pictures, prompts)
    figures = {"dataset": dataset, "split": split, **figures}
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        _print(figures)


def _print(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{figures['dataset']} {figures['split']}, prompts: {figures['prompts']}")
    for column in ("class", "recall", "n"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, row in figures["per_class"].items():
        recall = "-" if row["recall"] is None else f"{row['recall']:.3f}"
        table.add_row(name, recall, str(row["n"]))
    console = Console()
    console.print(table)
    console.print(f"WAR {figures['war']:.4f}   UAR {figures['uar']:.4f}   n {figures['n']}")


def main() -> None:
    """Run the command; an error of ours is one line on stderr and exit code 1."""
    try:
        app()
    except EmoCLIPError as error:
        if os.environ.get("EMOCLIP_DEBUG"):
            raise
        print(f"emoclip-train: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
