"""Commands that train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import EmoCLIPError
from .application import app

__all__: list[str] = []

Root = Annotated[Path, typer.Option(help="Folder or file of the dataset.")]
Out = Annotated[Path, typer.Option(help="Folder in which the result is written.")]
Dataset = Annotated[
    str, typer.Option(help="mafw, dfew, ferv39k, afew, ferplus, manifest or folder.")
]
Fold = Annotated[int, typer.Option(help="Fold of a dataset that has several.", min=1)]
Recipe = Annotated[str, typer.Option(help="Name of a recipe, or a YAML file.")]
Run = Annotated[
    Path | None,
    typer.Option(
        help="Run folder: state, log and frame cache. A run in it is gone on with. "
        "[default: OUT-run]"
    ),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Overrides the recipe; may be repeated."),
]
PaperSelection = Annotated[
    bool,
    typer.Option(
        "--paper-selection",
        help="Choose the epoch on the test split, as the reference does, and not on a validation "
        "split cut from training.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Overrides the recipe's seed.")]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:1.")]


@app.command()
def contrastive(
    root: Root,
    out: Out,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mafw, dfew, ferv39k, afew, manifest or folder; for the recipe mini ferplus or "
            "captions. [default: ferplus for mini, else mafw]"
        ),
    ] = None,
    fold: Fold = 1,
    recipe: Recipe = "mini",
    run: Run = None,
    change: Change = None,
    paper_selection: PaperSelection = False,
    seed: Seed = None,
    device: Device = "auto",
) -> None:
    """Train a model on clips with captions, and write it as a checkpoint folder."""
    content = _recipe("contrastive", recipe, change, seed)
    folder = run or out.with_name(out.name + "-run")
    if content["experiment"] == "mini":
        from ..mini import MiniRecipe, export

        mini = MiniRecipe(content, dataset or "ferplus", root, folder)
        typer.echo(json.dumps(export(mini, out), indent=2))
        return
    _run(content, dataset or "mafw", root, fold, out, folder, paper_selection, device)


@app.command()
def supervised(
    root: Root,
    out: Out,
    dataset: Dataset = "mafw",
    fold: Fold = 1,
    recipe: Recipe = "supervised",
    run: Run = None,
    change: Change = None,
    paper_selection: PaperSelection = False,
    seed: Seed = None,
    device: Device = "auto",
) -> None:
    """Train a model on descriptions of each clip's class, and write it as a checkpoint folder."""
    content = _recipe("supervised", recipe, change, seed)
    folder = run or out.with_name(out.name + "-run")
    _run(content, dataset, root, fold, out, folder, paper_selection, device)


@app.command()
def loco(
    root: Root,
    out: Out,
    dataset: Dataset = "mafw",
    fold: Fold = 1,
    recipe: Recipe = "loco",
    run: Run = None,
    change: Change = None,
    paper_selection: PaperSelection = False,
    seed: Seed = None,
    device: Device = "auto",
) -> None:
    """Train without each class in turn, and test the clips of that class against all labels."""
    content = _recipe("loco", recipe, change, seed)
    folder = run or out.with_name(out.name + "-run")
    _run(content, dataset, root, fold, out, folder, paper_selection, device)


@app.command()
def probe(
    root: Root,
    out: Out,
    dataset: Dataset = "mafw",
    fold: Fold = 1,
    recipe: Recipe = "probe",
    run: Run = None,
    change: Change = None,
    paper_selection: PaperSelection = False,
    seed: Seed = None,
    device: Device = "auto",
) -> None:
    """Train a small classifier on the frozen video encoder (--set model.start=CHECKPOINT)."""
    content = _recipe("probe", recipe, change, seed)
    folder = run or out.with_name(out.name + "-run")
    _run(content, dataset, root, fold, out, folder, paper_selection, device)


def _recipe(command: str, name: str, changes: list[str] | None, seed: int | None) -> dict[str, Any]:
    """Read a recipe and refuse one that is meant for another command."""
    from ..recipe import load_recipe

    changes = [*(changes or ()), *([] if seed is None else [f"seed={seed}"])]
    content = load_recipe(name, changes)
    found = content.get("experiment")
    if found != command and not (found == "mini" and command == "contrastive"):
        there = "has no key 'experiment'" if found is None else f"is for 'emoclip-train {found}'"
        raise EmoCLIPError(f"recipe {name}: {there}, and not for 'emoclip-train {command}'")
    return content


def _run(
    recipe: dict[str, Any],
    name: str,
    root: Path,
    fold: int,
    out: Path,
    folder: Path,
    paper_selection: bool,
    device: str,
) -> None:
    from ..datasets import open_clips
    from ..experiments import distributed, run_experiment

    clips = open_clips(name, root, fold=fold)
    with distributed(device) as process:
        figures = run_experiment(
            recipe,
            clips,
            out,
            folder,
            process=process,
            fold=fold,
            paper_selection=paper_selection,
        )
        if process.main:
            typer.echo(json.dumps(figures.get("best", figures), indent=2))
