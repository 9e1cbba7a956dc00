"""The ``emoclip`` command and its subcommands."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from .actions import actions
from .annotate import annotate
from .batch import batch
from .bench import bench
from .classify import classify
from .commands import CommandLine, log_to_stderr, show_version
from .compare import compare
from .convert import convert
from .demo import demo
from .doctor import doctor
from .embed import embed
from .explain import explain
from .export_onnx import export_onnx
from .info import info
from .live import live
from .prompts import prompts
from .running import run
from .timeline import timeline

__all__ = ["app", "main"]

app = CommandLine("emoclip")
app.command()(classify)
app.command()(timeline)
app.command()(actions)
app.command()(live)
app.command()(explain)
app.command()(compare)
app.command()(annotate)
app.command()(demo)
app.command()(embed)
app.command()(batch)
app.add_typer(prompts, name="prompts")
app.command()(convert)
app.command()(export_onnx)
app.command()(info)
app.command()(doctor)
app.command()(bench)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """Read apparent emotions from faces in video, with labels of your own choice.

    The model reads what a face shows, not what a person feels.

    Exit code: 0 all fine (a video without a face is fine), 1 something failed, 2 wrong usage,
    130 stopped by Ctrl-C.
    """


def main() -> None:
    """Run ``emoclip`` and end the process with its exit code."""
    log_to_stderr(logging.WARNING, "%(levelname)s: %(message)s")
    run(app, "emoclip")
