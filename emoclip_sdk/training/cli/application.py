"""The Typer application behind ``emoclip-train``."""

from __future__ import annotations

import logging
import os
import sys

import typer

from ...errors import EmoCLIPError

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
    """Run the command; an error of ours is one line on stderr and exit code 1."""
    try:
        app()
    except EmoCLIPError as error:
        if os.environ.get("EMOCLIP_DEBUG"):
            raise
        print(f"emoclip-train: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
