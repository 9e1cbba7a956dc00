"""The Typer application behind ``emoclip-train``."""

from __future__ import annotations

import logging
import sys

import typer

from ...cli.running import run

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


def main() -> None:
    """Run ``emoclip-train`` and end the process with its exit code."""
    run(app, "emoclip-train")
