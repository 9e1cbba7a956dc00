"""``emoclip explain``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..results.evidence import NOISE
from ..runtime.packages import require_package
from . import options as o
from .loading import load_model, requested_labels
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
from .outputs import check_outputs
from .videos import attempt

if TYPE_CHECKING:
    from ..results.evidence import FrameWeight
    from ..results.explanation import Explanation

__all__ = ["explain"]


def explain(
    video: o.Video,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Draw the most telling faces: .png, .pdf, .svg."),
    ] = None,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    track: o.OneTrack = "prominent",
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    prompts: o.Prompts = None,
    top: o.Top = 3,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    as_json: o.AsJSON = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Show which frames and which descriptions a label rests on.

    Frames between which the scores differ: the score of the second about each, and what the whole
    result loses without it, in percentage points. This tells about the model, not about the person.
    """
    chosen = o.parse_one_track(track)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end, min_face=min_face
    )
    check_outputs({"-o": output}, video, labels_file, prompts)
    if output is not None:
        require_package("matplotlib", "plot", "Plotting")  # now, not after the work
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)
    with working(video) as hook:
        explanation, reason = attempt(
            loaded.explain,
            video,
            requested,
            track=chosen,
            min_score=min_score,
            min_quality=min_quality,
            progress=hook,
            **reading,
        )
    if reason is not None:
        complain(f"Error: {video}: {reason}")
        raise typer.Exit(1)
    prediction = dataclasses.replace(explanation.prediction, source=video)
    explanation = dataclasses.replace(explanation, prediction=prediction)
    if as_json:
        print_json(explanation.to_dict())
    else:
        _print(explanation, top)
    if output is not None and explanation.frames:
        explanation.strip(output)
        complain(f"wrote {output}")


def _points(frame: FrameWeight) -> str:
    """Write what the result loses without a frame, in percentage points; noise as such."""
    if math.isnan(frame.change):
        return ""
    return f"{-100 * frame.change:+.1f}" if frame.counts else f"under {100 * NOISE:g}"


def _sentences(explanation: Explanation, n_shown: int) -> Iterator[str]:
    """Say what is to be seen in the table, and what is not."""
    frames, label = explanation.frames, explanation.prediction.label
    if n_shown == 1 and len(frames) > 1:
        yield "The score is the same throughout: the other frames differ by noise alone."
    if len(frames) > 1 and not any(frame.counts for frame in frames):
        yield f"No frame decides: the score changes by under {100 * NOISE:g} points without one."
    if explanation.action_text:
        yield f"In the frames that show {label} most, {explanation.action_text}."


def _print(explanation: Explanation, top: int) -> None:
    from rich.text import Text

    console = results_console()
    prediction = explanation.prediction
    if not prediction.face_found:
        reason = NO_FACE if prediction.track is None else prediction.reason
        console.print(Text(f"{prediction.source}: {reason}"))
        return
    console.print(Text.assemble(f"{prediction.source}: ", label_text(prediction)))
    console.print(score_list(prediction.top(top)))
    console.print()
    frames = new_table("time>", "best then", f"{prediction.label}>", "without it>", "actions then")
    shown = explanation.top_frames()
    for frame in shown:
        best = max(frame.scores, key=frame.scores.__getitem__)
        score = f"{frame.scores[str(prediction.label)]:.1%}"
        change = Text(_points(frame), "" if frame.counts else "dim")
        frames.add_row(f"{frame.time:.2f}", best, score, change, frame.action_text)
    n = len(explanation.frames)
    console.print(f"the most telling of {n} frame{'' if n == 1 else 's'}")
    console.print(frames)
    for sentence in _sentences(explanation, len(shown)):
        console.print(sentence)
    console.print()
    texts = new_table("label", "similarity>", "description")
    for label, _ in prediction.top(top):
        for i, match in enumerate(explanation.descriptions[label]):
            texts.add_row("" if i else label, f"{match.similarity:.3f}", match.text)
    console.print(texts)
