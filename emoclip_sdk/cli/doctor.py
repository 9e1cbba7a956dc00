"""``emoclip doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from .output import complain, new_table, print_json, results_console, working

__all__ = ["doctor"]

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


def doctor(
    model: o.Model = None,
    device: o.Device = "auto",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print everything that was looked at.")
    ] = False,
    as_json: o.AsJSON = False,
) -> None:
    """Look for what is wrong with this installation, and say what to do.

    Looks at Python, packages and extras, processor and GPU, caches, and reads a clip with the
    model. Nothing is downloaded. Exit code 1: something is wrong.
    """
    from rich.text import Text

    from ..diagnostics.doctor import examine

    with working("looking"):
        findings = list(examine(model, device))
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if as_json:
        print_json([finding.to_dict() for finding in findings])
    else:
        console = results_console()
        looked = f"{len(findings)} things were looked at"
        looked += "" if verbose else " (--verbose lists them)"
        if wrong:
            console.print(f"{len(wrong)} wrong. {looked}", style="red")
        else:
            console.print(f"All fine. {looked}", style="green")
        table = new_table("", "", "")
        table.show_header = False
        for finding in findings if verbose else wrong:
            text = finding.text + (f"\n-> {finding.advice}" if finding.advice else "")
            table.add_row(finding.subject, Text(finding.state, _STYLES[finding.state]), text)
        if table.rows:
            console.print(table)
    if wrong:
        complain(f"Error: {len(wrong)} wrong: {', '.join(f.subject for f in wrong)}")
        raise typer.Exit(1)
