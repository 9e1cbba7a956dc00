"""``emoclip-train evaluate --suite card``: parse, call, print."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ...runtime.packages import require_package
from ...runtime.progress import Progress
from .splits import chosen_split

if TYPE_CHECKING:
    from ...model import EmoCLIP
    from ..data.datasets import DatasetTask
    from ..evaluation.card import EvaluatedSplit

__all__ = ["run_card_suite"]

log = logging.getLogger(__name__)


def run_card_suite(
    model: str | None,
    dataset: str,
    root: Path,
    split: str | None,
    *,
    fold: int,
    task: DatasetTask,
    prompt_files: Sequence[Path],
    loco: Path | None,
    heads: Path | None,
    clips: int,
    draws: int,
    seed: int,
    device: str,
    write: bool,
    as_json: bool,
) -> None:
    """Measure a model card's figures, print them, and on request write them into the checkpoint.

    Parameters are the options of ``evaluate``.
    """
    from ...cli.output import showing_progress
    from ...model import EmoCLIP
    from ..evaluation import BLIND_BASELINES
    from ..evaluation.card import card_suite, local_folder, writable_folder, write_card

    if loco and dataset != "ferplus":
        raise typer.BadParameter("classes are left out of FER+ alone", param_hint="--loco")
    if heads and dataset != "ferplus":
        raise typer.BadParameter("heads are measured beside FER+ alone", param_hint="--heads")
    if model in BLIND_BASELINES:
        raise typer.BadParameter("the suite needs a model that sees", param_hint="--model")
    if write:
        require_package("matplotlib", "plot", "Drawing the confusion matrix")
    # Before any work: whether there is a place to write to.
    folder = writable_folder(model) if write else local_folder(model)
    with showing_progress() as show:
        show(Progress("loading the model"))
        loaded = EmoCLIP.from_pretrained(model, device=device)
        evaluated, name = _open(loaded, dataset, root, fold, task, split)
        figures = card_suite(
            evaluated,
            name=name,
            folder=folder,
            prompt_files=prompt_files,
            loco=loco,
            heads=heads,
            clips=clips,
            draws=draws,
            seed=seed,
            progress=show,
        )
    document = {
        "dataset": dataset,
        "model": model or "embedded",
        "command": _command(model, dataset, root, name, prompt_files, loco, heads),
        **figures,
    }
    if write and folder is not None:
        write_card(folder, document)
        log.info("%s: card written", folder)
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)


def _open(
    model: EmoCLIP, dataset: str, root: Path, fold: int, task: DatasetTask, split: str | None
) -> tuple[EvaluatedSplit, str]:
    """Return what is measured, and its name in a card."""
    from ..data.datasets import open_clips
    from ..data.ferplus import load_ferplus
    from ..evaluation import labeled
    from ..evaluation.card import EvaluatedPictures, EvaluatedSplit

    if dataset == "ferplus":
        name = split or "valid"
        path = root / "ferplus.npz" if root.is_dir() else root
        pictures = load_ferplus(path, name)  # type: ignore[arg-type]
        return EvaluatedPictures(model, pictures), name
    loaded = open_clips(dataset, root, fold=fold, task=task)
    name, clips = chosen_split(loaded, split)
    # The model's own labels compete as well, as they do for a user who names none.
    classes = list(loaded.classes)
    known = {model.prompts.resolve(label) or label for label in classes}
    classes += [label for label in model.labels if label not in known]
    evaluated = EvaluatedSplit(model, labeled(clips), classes, cropped=loaded.cropped)
    return evaluated, f"{_set_name(dataset, root)} {name}"


def _set_name(dataset: str, root: Path) -> str:
    """Return what a dataset is called: anyone's own by its folder."""
    folder = root.resolve()
    folder = folder if folder.is_dir() else folder.parent
    return folder.name or dataset if dataset in ("manifest", "folder") else dataset


def _command(
    model: str | None,
    dataset: str,
    root: Path,
    name: str,
    files: Sequence[Path],
    loco: Path | None,
    heads: Path | None,
) -> str:
    """Return the command for others to repeat: without the folders of this machine."""
    parts = ["emoclip-train", "evaluate", "--model", Path(model or "embedded").name]
    shown = "ferplus.npz" if dataset == "ferplus" else _set_name(dataset, root)
    parts += ["--dataset", dataset, "--root", shown, "--split", name.split()[-1], "--suite", "card"]
    parts += [part for path in files for part in ("--prompts-file", path.name)]
    parts += ["--loco", loco.name] if loco else []
    parts += ["--heads", heads.name] if heads else []
    return shlex.join(parts)


def _print(document: dict[str, Any]) -> None:
    from rich.text import Text

    from ...cli.output import new_table, results_console

    console = results_console()
    console.print(
        f"{document['model']}, {document['dataset']} {document['split']}, n = {document['n']}, "
        f"{document['seconds']:.0f} s"
    )
    table = new_table("figure", "value", "goal", "reached", "n>")
    marks = {True: Text("yes", "green"), False: Text("no", "red"), None: Text("not known")}
    for row in document["rows"]:
        values = "\n".join(f"{name} {_number(value)}" for name, value in row["values"].items())
        goals = "\n".join(f"{name} {goal}" for name, goal in row["goal"].items())
        n = "" if row["n"] is None else str(row["n"])
        table.add_row(row["figure"], values, goals, marks[row["met"]] if goals else "", n)
        table.add_section()
    console.print(table)
    console.print()
    for row in document["rows"]:
        console.print(Text(row["figure"], "bold") + Text(f": {row['how']}"))
    _print_classes(console, document)


def _print_classes(console: Any, document: dict[str, Any]) -> None:
    from ...cli.output import new_table

    console.print()
    rows = {row["key"]: row for row in document["rows"]}
    table = new_table("class", "n>", "recall>", "never trained on>", "synonyms>", "clips>")
    left_out = rows["left_out"]["per_class"] if "left_out" in rows else {}
    moving = rows["temporal"]["frames"]["temporal"]["per_class"] if "temporal" in rows else {}
    for name, figures in rows["accuracy"]["per_class"].items():
        table.add_row(
            name,
            str(figures["n"]),
            _number(figures["recall"]),
            _number(left_out.get(name, {}).get("recall")),
            _number(rows["synonyms"]["per_class"].get(name)),
            _number(moving.get(name, {}).get("recall")),
        )
    console.print(table)
    for name, words in rows["synonyms"]["misses"].items():
        went = ", ".join(f"{word} → {to}" for word, to in words.items())
        console.print(f"words for {name} that went elsewhere: {went}")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
