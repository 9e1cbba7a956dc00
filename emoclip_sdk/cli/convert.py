"""``emoclip convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .output import complain, working

__all__ = ["convert"]


def convert(
    file: Annotated[
        Path,
        typer.Argument(help="Weights in another layout: .pt, .pth, .safetensors.", exists=True),
    ],
    out: Annotated[Path, typer.Argument(help="The checkpoint folder to write.")],
    source: Annotated[
        Literal["emoclip", "farl", "openai-clip"],
        typer.Option("--from", help="Whose layout it is; emoclip: the authors' checkpoints."),
    ],
    text_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Add the text tower of this model to a file without one, "
            "e.g. clip-vit-b-32-openai.",
        ),
    ] = None,
) -> None:
    """Turn weights of the authors, of FaRL or of OpenAI into a checkpoint folder."""
    with working(f"converting {file}"):
        from ..checkpoints import convert as write

        config = write(file, out, source, text_from=text_from)
    left_out = config.info.get("left_out") or []
    if left_out:
        complain(f"left out, not needed: {', '.join(left_out)}")
    if not config.towers.text:
        complain(
            "this checkpoint has no text tower: it embeds video and can't classify. "
            "Add one with --text-from clip-vit-b-32-openai"
        )
    complain(f"wrote {out}")
