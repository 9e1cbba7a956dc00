"""``emoclip prompts``: look into the prompt bank, check prompt files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .output import complain, new_table, print_json, results_console, working

if TYPE_CHECKING:
    from ..prompts import PromptBank

__all__ = ["prompts"]

prompts = typer.Typer(
    help="Look into the prompt bank, check prompt files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


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
    for name in bank.names():
        texts = str(len(bank.descriptions(name)))
        table.add_row(name, texts, ", ".join(bank.aliases(name)))
    for name, parts in bank.compounds.items():
        table.add_row(name, f"= {_sum(parts)}", ", ".join(bank.aliases(name)))
    table.caption = (
        f"{len(bank.names())} labels, {len(bank.compounds)} compounds; "
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
    from ..prompts import compose

    bank = _bank(prompts)
    try:
        text = compose(bank, name)
    except PromptError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    if text.name is None:
        known = [*bank.names(), *bank.compounds]
        known += [alias for entry in known for alias in bank.aliases(entry)]
        close = difflib.get_close_matches(name.lower(), known, n=3)
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
        from open_clip.tokenizer import SimpleTokenizer

        tokenizer = SimpleTokenizer()
    problems = find_problems(bank, lambda text: len(tokenizer.encode(text)) + 2)
    for problem in problems:
        typer.echo(problem)
    complain(
        f"{len(bank.names())} labels, {len(bank.compounds)} compounds, hash {bank.hash}: "
        + (f"{len(problems)} problems" if problems else "no problems")
    )
    if problems:
        raise typer.Exit(1)


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
