"""The ``emoclip`` command: its subcommands, and what becomes of errors."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from typing import Annotated

import typer

from .. import __version__
from ..errors import EmoCLIPError
from .annotate import annotate
from .batch import batch
from .bench import bench
from .classify import classify
from .compare import compare
from .convert import convert
from .demo import demo
from .doctor import doctor
from .embed import embed
from .explain import explain
from .export_onnx import export_onnx
from .info import info
from .live import live
from .output import DEBUG
from .prompts import prompts
from .timeline import timeline

__all__ = ["app", "main"]

app = typer.Typer(
    name="emoclip",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help is ready in half the time, and an error stays one line instead of a box.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(classify)
app.command()(timeline)
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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emoclip_sdk {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Read apparent emotions from faces in video, with labels of your own choice.

    The model reads what a face shows, not what a person feels.

    Exit code: 0 all fine (a video without a face is fine), 1 something failed, 2 wrong usage.
    """


def main() -> None:
    """Run ``emoclip`` and end the process with its exit code."""
    debug = bool(os.environ.get(DEBUG))
    if not debug:
        warnings.simplefilter("ignore")  # of the libraries; ours are log records
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name may hold bytes that are not text
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="emoclip")
        finally:
            sys.stdout.flush()
    except EmoCLIPError as error:
        if debug:
            traceback.print_exc()
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader has left, as `head` does. Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        _say(
            f"unexpected {type(error).__name__}: {error}. This is a bug in emoclip_sdk; "
            f"run again with {DEBUG}=1 for the traceback to report"
        )
        sys.exit(1)


def _say(message: str) -> None:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
