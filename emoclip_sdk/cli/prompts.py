"""``emoclip prompts``: look into the prompt bank, check prompt files, compare wordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .commands import CommandLine
from .loading import load_model
from .output import (
    NO_FACE,
    complain,
    in_number,
    new_table,
    print_json,
    progress,
    results_console,
    working,
)
from .videos import attempt

if TYPE_CHECKING:
    from ..prompts import PromptBank

__all__ = ["prompts"]

prompts = CommandLine(help="Look into the prompt bank, check prompt files, compare wordings.")


@prompts.command("list")
def list_(prompts: o.Prompts = None, as_json: o.AsJSON = False) -> None:
    """List labels and compounds that have descriptions."""
    bank = _bank(prompts)
    if as_json:
        print_json(
            {
                "hash": bank.hash,
                "version": bank.version,
                "labels": {
                    name: {
                        "aliases": list(bank.aliases(name)),
                        "descriptions": list(bank.descriptions(name)),
                    }
                    for name in bank.names()
                },
                "compounds": {
                    name: {"aliases": list(bank.aliases(name)), "parts": dict(parts)}
                    for name, parts in bank.compounds.items()
                },
            }
        )
        return
    table = new_table("label", "descriptions", "also called")
    table.columns[0].no_wrap = True  # a name that is broken can't be copied
    for name in bank.names():
        texts = str(len(bank.descriptions(name)))
        table.add_row(name, texts, ", ".join(bank.aliases(name)))
    for name, parts in bank.compounds.items():
        table.add_row(name, f"= {_sum(parts)}", ", ".join(bank.aliases(name)))
    table.caption = (
        f"{in_number(len(bank.names()), 'label')}, {in_number(len(bank.compounds), 'compound')}; "
        f"version {bank.version}, hash {bank.hash}. Any other word is used through a template."
    )
    results_console().print(table)


@prompts.command()
def show(
    name: Annotated[str, typer.Argument(help="A label, in any wording.")],
    prompts: o.Prompts = None,
    as_json: o.AsJSON = False,
) -> None:
    """Show what a label is turned into."""
    from ..errors import PromptError
    from ..prompts import compose, near_misses

    bank = _bank(prompts)
    try:
        text = compose(bank, name)
    except PromptError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    if text.name is None:
        close = near_misses(bank, name, cutoff=0.6)
        complain(
            f"'{name}' is not in the prompt bank; it is used "
            + ("word for word." if text.kind == "caption" else "through templates.")
            + (f" Did you mean {', '.join(close)}?" if close else "")
        )
    if as_json:
        print_json(text.to_dict())
        return
    console = results_console()
    parts = f" = {_sum(text.parts)}" if text.parts else ""
    console.print(f"{text.name or text.label} ({text.kind}){parts}", style="bold")
    if text.name is not None and bank.aliases(text.name):
        console.print(f"also called: {', '.join(bank.aliases(text.name))}", soft_wrap=True)
    for sentence in text.texts:
        console.print(f"- {sentence}", soft_wrap=True)


@prompts.command()
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Prompt files. [default: the shipped ones]", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Check descriptions against the curation rules; exit code 1 if one is broken.

    The rules: face only, no emotion word, no text twice, at least three descriptions per label, and
    no text longer than the text tower reads.
    """
    from ..prompts import PromptBank
    from ..prompts import check as find_problems

    bank = PromptBank.from_yaml(*files) if files else PromptBank.default()
    with working("reading the tokenizer"):
        from ..nn import clip_tokenizer

        tokenizer = clip_tokenizer()
    problems = find_problems(bank, lambda text: len(tokenizer.encode(text)) + 2)
    for problem in problems:
        typer.echo(problem)
    complain(
        f"{in_number(len(bank.names()), 'label')}, "
        f"{in_number(len(bank.compounds), 'compound')}, hash {bank.hash}: "
        + (f"{len(problems)} problems" if problems else "no problems")
    )
    if problems:
        raise typer.Exit(1)


@prompts.command()
def score(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="Your own clips: columns path and label; paths are relative to the file.",
            exists=True,
            dir_okay=False,
        ),
    ],
    prompts: Annotated[
        list[Path] | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="A prompt file (.yaml) whose descriptions are compared as well. May be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    model: o.Model = None,
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    as_json: o.AsJSON = False,
    fps: o.Fps = None,
    timeout: o.Timeout = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Find out which description of a label separates your own clips best.

    For each wording the AUC, the label's clips against the rest: 0.5 is chance, 1 is perfect. With
    few clips the order is mostly luck: choose on some clips and check on others.
    """
    import numpy as np

    from ..errors import EmoCLIPError
    from ..selection.wording import read_labeled, score_wordings

    reading = o.parse_reading(faces, fps, False, timeout, sampling, seed, min_face=min_face)
    try:
        clips = read_labeled(file)
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="FILE.csv") from None
    loaded = load_model(model, device, dtype)
    labels = list(dict.fromkeys(label for _, label in clips))
    wordings = {label: _wordings(loaded.prompts, label) for label in labels}
    for path in prompts or ():
        bank = _only(path)
        for label in labels:
            known = bank.resolve(label)
            if known is not None and known not in bank.compounds:
                wordings[label] += [(path.name, {text: 1.0}) for text in bank.descriptions(known)]
    vectors, owners, failed = [], [], 0
    with progress(len(clips)) as begin:
        for video, label in clips:
            vector, reason = attempt(loaded.embed, video, progress=begin(video), **reading)
            if reason is None and np.isnan(vector).any():
                reason = NO_FACE
            if reason is None:
                vectors.append(vector)
                owners.append(label)
            else:
                failed += 1
                complain(f"{video}: {reason}; left out")
        if not vectors:
            raise EmoCLIPError(f"{file}: no clip shows a face")
        scores = score_wordings(np.stack(vectors), owners, wordings, loaded.embed_text)
    if as_json:
        print_json([row.to_dict() for row in scores])
    else:
        table = new_table("label", "AUC>", "from", "wording")
        last = None
        for row in scores:
            name = f"{row.label} ({row.n} of {row.n + row.rest})" if row.label != last else ""
            last = row.label
            text = row.texts[0] if len(row.texts) == 1 else f"mean of {len(row.texts)} texts"
            table.add_row(name, f"{row.auc:.3f}", row.origin, text)
        results_console().print(table)
    if failed:
        raise typer.Exit(1)


def _wordings(bank: PromptBank, label: str) -> list[tuple[str, dict[str, float]]]:
    """Return the wordings to compare: as the model uses it, each text alone, templates, word."""
    from ..prompts import compose
    from ..prompts.files import LABEL_PLACEHOLDER

    used = compose(bank, label)
    wordings = [("label", dict(zip(used.texts, used.weights, strict=True)))]
    word = " ".join(label.replace("_", " ").split())
    if used.kind == "bank":
        wordings += [("bank", {text: 1.0}) for text in bank.descriptions(label)]
    if used.kind != "template" and bank.templates:
        wordings.append(
            ("templates", {t.replace(LABEL_PLACEHOLDER, word): 1.0 for t in bank.templates})
        )
    return [*wordings, ("word", {word: 1.0})]


def _only(file: Path) -> PromptBank:
    """Read one prompt file by itself."""
    from ..errors import PromptError
    from ..prompts import PromptBank

    try:
        return PromptBank.from_yaml(file)
    except PromptError as error:
        raise typer.BadParameter(str(error), param_hint="--prompts") from None


def _bank(files: Sequence[Path] | None) -> PromptBank:
    from ..errors import PromptError
    from ..prompts import PromptBank

    bank = PromptBank.default()
    try:
        return PromptBank.from_yaml(*files, base=bank) if files else bank
    except PromptError as error:
        raise typer.BadParameter(str(error), param_hint="--prompts") from None


def _sum(parts: Sequence[tuple[str, float]]) -> str:
    equal = len({weight for _, weight in parts}) == 1
    return " + ".join(part if equal else f"{weight:g}*{part}" for part, weight in parts)
