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
app.command(
    examples=(
        "emoclip classify clip.mp4",
        "emoclip classify clips/ --labels 'happiness,boredom,doubt' --csv > scores.csv",
        "emoclip classify talk.mp4 --label 'a tired smile, lips closed' --label neutral",
    )
)(classify)
app.command(
    examples=(
        "emoclip timeline interview.mp4",
        "emoclip timeline interview.mp4 -o scores.csv",
        "emoclip timeline interview.mp4 --step 0.5 --plot scores.png -o scores.eaf",
    )
)(timeline)
app.command(
    examples=(
        "emoclip actions clip.mp4",
        "emoclip actions clips/ -o actions.parquet --rate all",
    )
)(actions)
app.command(examples=("emoclip live", "emoclip live --camera 1 --json > scores.jsonl"))(live)
app.command(examples=("emoclip explain clip.mp4 -o faces.png",))(explain)
app.command(
    examples=(
        "emoclip compare emoclip-mini clip-vit-b-32 clips/",
        "emoclip compare emoclip-mini emoclip-mini clips/ --prompts-b mine.yaml",
    )
)(compare)
app.command(
    examples=(
        "emoclip annotate clip.mp4 -o annotated.mp4",
        "emoclip annotate talk.mp4 -o part.mp4 --start 60 --end 90 --landmarks",
    )
)(annotate)
app.command(examples=("emoclip demo",))(demo)
app.command(examples=("emoclip embed clips/ -o embeddings.npz",))(embed)
app.command(
    examples=(
        "emoclip batch clips/ -o scores.parquet",
        "emoclip batch study.csv -o windows.csv --window 1 --step 0.5",
    )
)(batch)
app.add_typer(prompts, name="prompts")
app.command(examples=("emoclip convert authors.pth my-model --from emoclip",))(convert)
app.command(examples=("emoclip export-onnx my-model-onnx",))(export_onnx)
app.command()(info)
app.command(examples=("emoclip doctor --verbose",))(doctor)
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
