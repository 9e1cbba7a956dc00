"""The command that measures how far labels can be trusted."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Annotated

import typer

from .application import app

__all__: list[str] = []


@app.command()
def reliability(
    root: Annotated[Path, typer.Option(help="ferplus.npz.", exists=True)],
    model: Annotated[
        str | None, typer.Option(help="Checkpoint folder. [default: the embedded model]")
    ] = None,
    wordnet: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="WordNet's folder, where the text tower was trained on it, as by the recipe mini: "
            "other words than these and the captions' are then unknown.",
            exists=True,
        ),
    ] = None,
    keep: Annotated[
        float,
        typer.Option(
            help="Of words for expressions that training never met, the share to accept.",
            min=0,
            max=1,
        ),
    ] = 0.9,
    tell: Annotated[
        float,
        typer.Option(
            help="Two labels are told apart from where on the better one is right this often.",
            min=0.5,
            max=0.99,
        ),
    ] = 0.6,
    words: Annotated[int, typer.Option(help="Words of training to keep.", min=8)] = 400,
    seed: Annotated[int, typer.Option(help="Of the choice of words.")] = 0,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1.")
    ] = "auto",
) -> None:
    """Measure what of a model's labels can be trusted, and write it into its folder.

    On FER+'s validation split. reliability.json says which labels and facial actions are read, and
    how far from them a text may lie; config.json gets the margin within which two labels can't be
    told apart. Run it after every change of the weights. A few minutes.
    """
    from ...checkpoints.folder import WEIGHTS_FILE
    from ...cli.output import working
    from ...model import EmoCLIP
    from ...runtime.hashes import file_hash
    from ..data.ferplus import load_ferplus
    from ..evaluation.calibration import fit_margin
    from ..evaluation.card import EvaluatedPictures, writable_folder
    from ..evaluation.reliability import measure_reliability, write_reliability

    folder = writable_folder(model)
    pictures = load_ferplus(root, "valid")
    split = EvaluatedPictures(EmoCLIP.from_pretrained(folder, device=device), pictures)
    command = ["emoclip-train", "reliability", "--model", Path(model or "embedded").name]
    command += ["--root", root.name]
    command += ["--wordnet", str(wordnet)] if wordnet else []
    command += ["--keep", f"{keep:g}", "--tell", f"{tell:g}", "--words", str(words)]
    about = {
        "command": shlex.join([*command, "--seed", str(seed)]),
        "dataset": "FER+ valid",
        "weights": file_hash(folder / WEIGHTS_FILE),
    }
    with working("measuring"):
        measured = measure_reliability(
            split, about=about, wordnet=wordnet, keep=keep, n_words=words, seed=seed
        )
        margin = fit_margin(split.scores, split.labels, tell)
    write_reliability(folder, measured, margin)
    for known in measured.classes:
        typer.echo(f"{known.name:16} recall {known.recall:.3f} of {known.n}")
    for action in measured.actions:
        typer.echo(
            f"{action.name:16} AUC {action.auc:.2f}, in other words {action.other_words:.2f}"
        )
    typer.echo(
        f"a text is readable from a likeness of {measured.min_likeness:.3f} on: that accepts "
        f"{measured.keep:.0%} of other words for expressions and refuses {measured.refused:.0%} of "
        f"words for other things\n"
        f"of other words for expressions, {measured.other_words:.0%} find faces of their class\n"
        f"margin {margin:.3f}: scores within a factor of {math.exp(margin):.2f} are not told apart"
    )
