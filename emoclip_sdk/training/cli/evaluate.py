"""Commands that measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .application import app

__all__: list[str] = []


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
    from ...model import EmoCLIP
    from ..evaluate import evaluate_pictures
    from ..ferplus import load_ferplus

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
