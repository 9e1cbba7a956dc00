"""``emoclip timeline``."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import MissingDependencyError
from . import options as o
from .loading import load_model, wanted_labels
from .output import (
    NO_FACE,
    complain,
    label_text,
    new_table,
    print_json,
    results_console,
    score_list,
    working,
)
from .videos import attempt

if TYPE_CHECKING:
    from ..results import Timeline

__all__ = ["timeline"]


def timeline(
    video: o.Video,
    window: Annotated[float, typer.Option(help="Length of a window in seconds.")] = 2.0,
    step: Annotated[float, typer.Option(help="From one window to the next, in seconds.")] = 1.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a .csv or .json file.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the scores: .png, .pdf, .svg.")] = None,
    labels: o.Labels = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    faces: o.Faces = None,
    prompts: o.Prompts = None,
    top: o.Top = 3,
    min_score: o.MinScore = None,
    as_json: o.AsJSON = False,
    as_csv: o.AsCSV = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels over time: one row per face and window.

    A window in which a face is not seen is a row without scores. Without -o, --json, --csv or
    --plot, a table is printed. A .csv file alone is written while the video is read, in order of
    time; everything else is in order of faces, then of time.
    """
    from ..export.tables import save_rows, write_csv

    o.one_format(as_json, as_csv)
    for name, seconds in (("--window", window), ("--step", step)):
        if not (seconds > 0 and math.isfinite(seconds)):
            raise typer.BadParameter(f"{seconds} is not a positive number.", param_hint=name)
    if output is not None and output.suffix.lower() not in (".csv", ".json"):
        raise typer.BadParameter(f"'{output}' does not end in .csv or .json.", param_hint="-o")
    if plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError("matplotlib", "plot", "Plotting")  # now, not after the work
    loaded = load_model(model, device, dtype, prompts)
    wanted = wanted_labels(loaded, labels, labels_file, compound)
    options: dict[str, Any] = dict(
        window=window,
        step=step,
        faces=faces,
        min_score=min_score,
        fps=fps,
        allow_network=allow_network,
    )
    if output is not None and output.suffix.lower() == ".csv" and not (plot or as_json or as_csv):
        # A table alone is written while the video is read, however long that is.
        def write(video: str, table: Path) -> int:
            return save_rows(loaded.timeline_rows(video, wanted, **options), video, table)

        with working(video):
            n, reason = attempt(write, video, output)
        _stop_if(video, reason)
        complain(f"wrote {output}: {n} rows")
        return
    with working(video):
        found, reason = attempt(loaded.timeline, video, wanted, **options)
    _stop_if(video, reason)
    found = dataclasses.replace(found, source=video)
    if as_json:
        print_json(found.to_dict())
    elif as_csv:
        write_csv(found.to_records(), sys.stdout)
    elif output is None and plot is None:
        _print_table(found, top)
    if output is not None:
        found.save(output)
        complain(f"wrote {output}: {len(found)} rows")
    if plot is not None:
        found.plot(plot)
        complain(f"wrote {plot}")


def _stop_if(video: str, reason: str | None) -> None:
    if reason is not None:
        complain(f"Error: {video}: {reason}")
        raise typer.Exit(1)


def _print_table(found: Timeline, top: int) -> None:
    from rich.text import Text

    table = new_table("face>", "start>", "end>", "label", "scores")
    for row in found:
        label, scores = Text(NO_FACE, "yellow"), ""
        if row.face_found:
            ranked = sorted(row.scores.items(), key=lambda item: -item[1])[:top]
            label, scores = label_text(row), score_list(ranked)
        face = "" if row.track is None else str(row.track)
        table.add_row(face, f"{row.start:.2f}", f"{row.end:.2f}", label, scores)
    seen = f"{len(found.tracks)} face{'' if len(found.tracks) == 1 else 's'}"
    table.caption = f"{found.source}: {seen}"
    if found.model is not None:
        table.caption += f"; {found.model.name}, prompt bank {found.model.prompt_bank}"
    results_console().print(table)
