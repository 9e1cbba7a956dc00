"""The Typer application behind ``emoclip-train``."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from ...cli.commands import CommandLine, log_to_stderr, show_version
from ...cli.running import run

__all__ = ["app", "main"]

app = CommandLine("emoclip-train")


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """Train and evaluate EmoCLIP models.

    Exit code: 0 all fine, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    log_to_stderr(logging.INFO, "%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)


def main() -> None:
    """Run ``emoclip-train`` and end the process with its exit code."""
    run(app, "emoclip-train")
