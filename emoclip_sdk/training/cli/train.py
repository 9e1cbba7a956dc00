"""Commands that train: one for each kind of experiment, with the same options."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import EmoCLIPError
from .application import app

if TYPE_CHECKING:
    from ..data.datasets import ClipDataset
    from ..engine.process import Process

__all__ = ["experiment_recipe"]

_COMMANDS = {
    "contrastive": "Train a model on clips with captions, and write it as a checkpoint folder.",
    "supervised": "Train a model on descriptions of each clip's class (a checkpoint folder).",
    "loco": "Train without each class in turn, and test that class's clips against all labels.",
    "probe": "Train a classifier on a frozen video encoder: --set model.start=CHECKPOINT.",
}


@dataclass(frozen=True)
class _Request:
    """Options of a command. None: not given."""

    command: str
    root: Path
    out: Path
    run: Path | None
    dataset: str
    fold: int | None
    task: str | None
    cropped: bool | None

    @property
    def folder(self) -> Path:
        """Run folder."""
        return self.run or self.out.with_name(self.out.name + "-run")


def _open_clips(request: _Request) -> ClipDataset:
    from ..data.datasets import open_clips

    return open_clips(
        request.dataset,
        request.root,
        fold=request.fold or 1,
        task=request.task or "single",  # type: ignore[arg-type]
        cropped=request.cropped,
    )


def _train_mini(recipe: dict[str, Any], request: _Request, process: Process) -> dict[str, Any]:
    from ..mini import leave_classes_out, run_mini

    train = leave_classes_out if request.command == "loco" else run_mini
    # Its captions are made of votes, which clips don't have.
    dataset = request.root if request.dataset == "ferplus" else _open_clips(request)
    return train(recipe, dataset, request.out, request.folder, process)


def _train_experiment(
    recipe: dict[str, Any], request: _Request, process: Process
) -> dict[str, Any]:
    from ..paper import run_experiment

    return run_experiment(
        recipe,
        _open_clips(request),
        request.out,
        request.folder,
        process=process,
        fold=request.fold or 1,
    )


@dataclass(frozen=True)
class _Experiment:
    """What a recipe's key ``experiment`` means.

    Attributes
    ----------
    commands : tuple of str
    train : callable
    dataset : str
        The one that is meant where none is named.
    of_paper : bool
        Whether it is the paper's, so that there is a reference to follow.
    """

    commands: tuple[str, ...]
    train: Callable[[dict[str, Any], _Request, Process], dict[str, Any]]
    dataset: str = "mafw"
    of_paper: bool = True


_EXPERIMENTS = {
    **{
        name: _Experiment((name,), _train_experiment)
        for name in ("contrastive", "supervised", "loco", "probe")
    },
    "mini": _Experiment(("contrastive", "loco"), _train_mini, "ferplus", of_paper=False),
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
        fold: Annotated[
            int | None,
            typer.Option(help="Fold of a dataset that has several. [default: 1]", min=1),
        ] = None,
        task: Annotated[
            str | None,
            typer.Option(help="single or compound (MAFW's 43 classes). [default: single]"),
        ] = None,
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
        reference: Annotated[
            bool,
            typer.Option(
                "--reference",
                help="As the authors' code and scripts do it, down to the epoch that is chosen on "
                "the test split: for a comparison with the paper's figures.",
            ),
        ] = False,
        seed: Annotated[int | None, typer.Option(help="Overrides the recipe's.")] = None,
        device: Annotated[str, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:1.")] = "auto",
    ) -> None:
        from ..engine.process import distributed

        content = experiment_recipe(name, recipe, change, seed)
        kind = content["experiment"]
        experiment = _EXPERIMENTS[kind]
        dataset = dataset or experiment.dataset
        request = _Request(name, root, out, run, dataset, fold, task, cropped)
        _refuse_unused(request, experiment, reference)
        if reference:
            from ..paper.reference import reference_settings

            over = reference_settings(kind, dataset)
            content = experiment_recipe(name, recipe, change, seed, over)
            if content["model"].get("shape") is not None:
                raise EmoCLIPError(
                    "--reference can't be used here: the paper has no shape stream (model.shape)"
                )
        with distributed(device) as process:
            figures = experiment.train(content, request, process)
            if process.main:
                typer.echo(json.dumps(figures.get("best", figures), indent=2))

    app.command(name, help=_COMMANDS[name])(command)


def experiment_recipe(
    command: str,
    name: str,
    changes: list[str] | None,
    seed: int | None,
    over: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Read a recipe and refuse one that is meant for another command."""
    from ..engine.recipe import load_recipe

    changes = [*(changes or ()), *([] if seed is None else [f"seed={seed}"])]
    content = load_recipe(name, changes, over)
    experiment = content.get("experiment")
    if experiment is None:
        raise EmoCLIPError(f"recipe {name}: has no key 'experiment', so it is for no command here")
    # `emoclip-train ness` has a module of its own.
    commands_of = {key: entry.commands for key, entry in _EXPERIMENTS.items()} | {"ness": ("ness",)}
    commands = commands_of.get(experiment)
    if commands is None:
        known = ", ".join(commands_of)
        raise EmoCLIPError(f"recipe {name}: experiment is {experiment!r}, and none of {known}")
    if command not in commands:
        own = " and ".join(f"'emoclip-train {name}'" for name in commands)
        raise EmoCLIPError(f"recipe {name}: is for {own}, and not for 'emoclip-train {command}'")
    return content


def _refuse_unused(request: _Request, experiment: _Experiment, reference: bool) -> None:
    """Refuse an option that changes nothing, so that nobody takes it for used."""
    from ..data.datasets import DATASETS

    name = request.dataset
    info = DATASETS.get(name)
    if info is None:
        raise EmoCLIPError(f"{name}: no such dataset. There are: {', '.join(DATASETS)}")
    for option, value, used, reason in (
        ("--fold", request.fold, len(info.folds) > 1, f"{name} has no folds"),
        ("--task", request.task, len(info.tasks) > 1, f"{name} is labeled for one task alone"),
        (
            "--cropped" if request.cropped else "--no-cropped",
            request.cropped,
            info.own,
            f"the layout of {name} tells whether its frames are face crops",
        ),
        (
            "--reference",
            reference or None,
            experiment.of_paper,
            "this recipe is not the paper's",
        ),
    ):
        if value is not None and not used:
            raise EmoCLIPError(f"{option} can't be used here: {reason}")


for _name in _COMMANDS:
    _add(_name)
