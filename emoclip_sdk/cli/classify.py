"""``emoclip classify``."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from . import options as o
from .loading import load_model, requested_labels
from .output import (
    NO_FACE,
    complain,
    label_text,
    new_table,
    print_json,
    print_reliability,
    progress,
    results_console,
    score_list,
)
from .videos import attempt, expand, refuse_labels

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..results.records import Prediction

__all__ = ["classify"]

_LONG = 120.0  # seconds, from which on one row for all of it hides what happens


def classify(
    videos: o.Videos,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    track: o.Track = "prominent",
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    prompts: o.Prompts = None,
    top: o.Top = 3,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    multi_label: o.MultiLabel = False,
    as_json: o.AsJSON = False,
    as_csv: o.AsCSV = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    folder_as: o.FolderAs = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels on videos.

    Scores are a softmax over the labels: they say which of THESE labels fits best, not how sure it
    is that any of them does. The model reads what a face shows, not what a person feels.

    --json prints a list with one object per video (with --track all, one per face).
    """
    o.one_format(as_json, as_csv)
    chosen = o.parse_track(track)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end, min_face=min_face
    )
    refuse_labels(videos, labels)
    paths = expand(videos, folder_as)
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)
    results: list[Prediction] = []
    done = 0
    try:
        with progress(len(paths)) as begin:
            for video in paths:
                result, reason = attempt(
                    loaded.classify,
                    video,
                    requested,
                    track=chosen,
                    min_score=min_score,
                    min_quality=min_quality,
                    multi_label=multi_label,
                    progress=begin(video),
                    **reading,
                )
                if reason is not None:
                    result = _failed(video, requested, reason)
                several = result if isinstance(result, list) else [result]
                results += [dataclasses.replace(r, source=video) for r in several]
                done += 1
    except KeyboardInterrupt:  # what is done is shown
        if not done:
            raise
    if as_json:
        print_json([result.to_dict() for result in results])
    elif as_csv:
        from ..export.tables import write_csv

        write_csv([result.to_record() for result in results], sys.stdout)
    failed = [result for result in results if result.error is not None]
    if as_json or as_csv:
        for result in failed:
            complain(f"{result.source}: {result.error}")
    elif failed and len(results) == 1:
        complain(f"Error: {failed[0].source}: {failed[0].error}")
    else:
        _print_table(results, top, chosen == "all")
        _point_to_timeline(results)
    if done < len(paths):
        complain(f"stopped: {done} of {len(paths)} videos are done")
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)


def _point_to_timeline(results: Sequence[Prediction]) -> None:
    long = next((r for r in results if r.face_found and (r.duration or 0) >= _LONG), None)
    if long is not None:
        complain(
            f"These are means over all of {long.source} ({(long.duration or 0) / 60:.0f} minutes). "
            f"When what is seen: emoclip timeline {shlex.quote(long.source)}"
        )


def _failed(video: str, labels: Sequence[str], reason: str) -> Prediction:
    from ..results.records import Prediction

    nothing = dict.fromkeys(labels, float("nan"))
    return Prediction(video, nothing, nothing, {}, error=reason)


def _print_table(results: Sequence[Prediction], top: int, every_face: bool) -> None:
    from rich.text import Text

    table = new_table("video", *(["face>"] if every_face else []), "label", "scores", "faces>")
    for r in results:
        scores: RenderableType
        if r.error is not None:
            label, scores, faces = Text("failed", "red"), r.error, ""
        elif not r.face_found:
            reason = NO_FACE if r.track is None else r.reason
            label, scores, faces = Text(str(reason), "yellow"), "", str(r.n_tracks)
        else:
            label = label_text(r)
            scores, faces = score_list(r.top(top)), str(r.n_tracks)
        face = ["" if r.track is None else str(r.track)] if every_face else []
        table.add_row(r.source, *face, label, scores, faces)
    used = next((r for r in results if r.model), None)
    if used is not None and used.model is not None:
        table.caption = f"{used.model.name}, prompt bank {used.model.prompt_bank}"
    console = results_console()
    console.print(table)
    if used is not None:
        print_reliability(console, used.reliability)
