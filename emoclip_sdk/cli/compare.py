"""``emoclip compare``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .loading import add_prompts, load_model, requested_labels
from .output import NO_FACE, complain, new_table, print_json, results_console, showing_progress
from .videos import STDIN, expand, refuse_labels, standard_input

if TYPE_CHECKING:
    from ..results.records import Prediction
    from ..selection.compare import Comparison

__all__ = ["compare"]

_Bank = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="A prompt file whose descriptions go before those of this model's bank. "
        "May be repeated.",
        exists=True,
        dir_okay=False,
    ),
]


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A model, as for --model.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another, or the same.")],
    videos: o.Videos,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    prompts_a: _Bank = None,
    prompts_b: _Bank = None,
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    as_json: o.AsJSON = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score the same videos under two models, or under two prompt banks, and show what differs.

    To compare wordings, name one model twice ('emoclip-mini' is the embedded one) and give it
    --prompts-a or --prompts-b. That two agree does not mean that they are right.
    """
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end, min_face=min_face
    )
    refuse_labels(videos, labels)
    paths = expand(videos)
    first = load_model(a, device, dtype)
    # One network with two banks: every face is embedded once.
    second = first.with_prompts() if a == b else load_model(b, device, dtype)
    add_prompts(first, prompts_a, "--prompts-a")
    add_prompts(second, prompts_b, "--prompts-b")
    requested = requested_labels(first, labels, label, labels_file, compound)
    if set(requested_labels(second, labels, label, labels_file, compound)) != set(requested):
        raise typer.BadParameter("the two have other label sets.", param_hint="--labels")
    from ..selection.compare import Comparison, compare_models

    with showing_progress() as hook:
        given = [standard_input() if path == STDIN else path for path in paths]
        reading["progress"] = hook
        result = compare_models(first, second, given, requested, **reading)
    named = [
        (dataclasses.replace(one, source=video), dataclasses.replace(other, source=video))
        for video, (one, other) in zip(paths, result.pairs, strict=True)
    ]
    result = Comparison(tuple(named))
    if as_json:
        print_json(result.to_dict())
    else:
        _print(result)
    failed = [one for one, _ in named if one.error is not None]
    for one in failed:
        complain(f"{one.source}: {one.error}")
    if failed:
        raise typer.Exit(1)


def _print(result: Comparison) -> None:
    from rich.text import Text

    console = results_console()
    a, b = _names(result)
    table = new_table("video", a, "score>", b, "score>", "")
    for one, other in result.pairs:
        if one.error is not None:
            table.add_row(one.source, Text("failed", "red"), "", "", "", "")
            continue
        differ = one.face_found and other.face_found and one.label != other.label
        table.add_row(
            one.source, *_cells(one), *_cells(other), Text("differ", "yellow") if differ else ""
        )
    console.print(table)
    console.print()
    labels = new_table("label", "A>", "B>", "both>", "score A>", "score B>", "B - A>", "|B - A|>")
    labels.caption = f"{a}\n{b}"
    for label, row in result.per_label().items():
        figures = (row[key] for key in ("score_a", "score_b", "difference", "distance"))
        cells = ["" if value is None else f"{value:.3f}" for value in figures]
        labels.add_row(label, str(row["a"]), str(row["b"]), str(row["both"]), *cells)
    console.print(labels)
    if result.read:
        same = round(result.agreement * len(result.read))
        console.print(f"\nthe same label: {same} of {len(result.read)} videos with a face")


def _names(result: Comparison) -> tuple[str, str]:
    """Return what the columns are called: the two models or, of one model, its prompt banks."""
    names = {"A": "A", "B": "B"}
    one, other = (prediction.model for prediction in result.pairs[0])
    if one is not None and other is not None:
        same = one.name == other.name
        for side, model in (("A", one), ("B", other)):
            bank = f", prompts {model.prompt_bank}" if same else ""
            names[side] = f"{side}: {Path(model.name).name or model.name}{bank}"
    return names["A"], names["B"]


def _cells(prediction: Prediction) -> tuple[str, str]:
    if prediction.label is None:
        return NO_FACE, ""
    return prediction.label, f"{prediction.scores[prediction.label]:.2f}"
