"""Commands that train: one for each kind of experiment, with the same options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import EmoCLIPError
from .application import app

__all__ = ["experiment_recipe"]

_COMMANDS = {
    "contrastive": "Train a model on clips with captions, and write it as a checkpoint folder.",
    "supervised": "Train a model on descriptions of each clip's class (a checkpoint folder).",
    "loco": "Train without each class in turn, and test that class's clips against all labels.",
    "probe": "Train a classifier on a frozen video encoder: --set model.start=CHECKPOINT.",
}


def _add(name: str) -> None:
    """Add a command. Its own recipe is the default; `contrastive` has the shipped model's."""

    def command(
        root: Annotated[Path, typer.Option(help="Folder or file of the dataset.")],
        out: Annotated[
            Path,
            typer.Option("--output", "-o", help="Folder in which the result is written."),
        ],
        dataset: Annotated[
            str | None,
            typer.Option(
                help="mafw, dfew, ferv39k, afew, ferplus, manifest or folder. "
                "[default: mafw; ferplus for the recipe mini]"
            ),
        ] = None,
        fold: Annotated[int, typer.Option(help="Fold of a dataset that has several.", min=1)] = 1,
        task: Annotated[str, typer.Option(help="single or compound (MAFW's 43 classes).")] = (
            "single"
        ),
        cropped: Annotated[
            bool | None,
            typer.Option(help="manifest and folder: whether frames are face crops already."),
        ] = None,
        recipe: Annotated[str, typer.Option(help="Name of a recipe, or a YAML file.")] = (
            "mini" if name == "contrastive" else name
        ),
        run: Annotated[
            Path | None,
            typer.Option(
                help="Run folder: state, log, frame cache. A run in it is gone on with. "
                "[default: OUT-run]"
            ),
        ] = None,
        change: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="KEY=VALUE", help="Overrides the recipe; repeatable."),
        ] = None,
        paper_selection: Annotated[
            bool,
            typer.Option(
                "--paper-selection",
                help="Choose the epoch on the test split, as the reference does, instead of on "
                "a validation split cut from training.",
            ),
        ] = False,
        seed: Annotated[int | None, typer.Option(help="Overrides the recipe's.")] = None,
        device: Annotated[str, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:1.")] = "auto",
    ) -> None:
        content = experiment_recipe(name, recipe, change, seed)
        folder = run or out.with_name(out.name + "-run")
        if content["experiment"] == "mini":
            from ..mini.run import MiniRecipe, export, leave_one_out

            if name == "loco":
                found = leave_one_out(content, dataset or "ferplus", root, folder, out, device)
                typer.echo(json.dumps(found, indent=2))
                return
            mini = MiniRecipe(content, dataset or "ferplus", root, folder, device=device)
            typer.echo(json.dumps(export(mini, out), indent=2))
            return
        from ..data.datasets import open_clips
        from ..paper import distributed, run_experiment

        clips = open_clips(
            dataset or "mafw",
            root,
            fold=fold,
            task=task,  # type: ignore[arg-type]
            cropped=cropped,
        )
        with distributed(device) as process:
            figures = run_experiment(
                content,
                clips,
                out,
                folder,
                process=process,
                fold=fold,
                paper_selection=paper_selection,
            )
            if process.main:
                typer.echo(json.dumps(figures.get("best", figures), indent=2))

    app.command(name, help=_COMMANDS[name])(command)


def experiment_recipe(
    command: str, name: str, changes: list[str] | None, seed: int | None
) -> dict[str, Any]:
    """Read a recipe and refuse one that is meant for another command."""
    from ..engine.recipe import load_recipe

    changes = [*(changes or ()), *([] if seed is None else [f"seed={seed}"])]
    content = load_recipe(name, changes)
    found = content.get("experiment")
    if found != command and not (found == "mini" and command in ("contrastive", "loco")):
        there = "has no key 'experiment'" if found is None else f"is for 'emoclip-train {found}'"
        raise EmoCLIPError(f"recipe {name}: {there}, and not for 'emoclip-train {command}'")
    return content


for _name in _COMMANDS:
    _add(_name)
