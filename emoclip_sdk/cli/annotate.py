"""``emoclip annotate``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EmoCLIPError
from . import options as o
from .loading import load_model, requested_labels
from .output import complain, working
from .outputs import check_outputs
from .videos import attempt

if TYPE_CHECKING:
    from ..video import VideoInput

__all__ = ["annotate"]


def annotate(
    video: o.Video,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Ends in .mp4, .m4v, .mov, .mkv or .webm."
        ),
    ],
    window: Annotated[float, typer.Option(help="Length of a window in seconds.")] = 2.0,
    step: Annotated[float, typer.Option(help="From one window to the next, in seconds.")] = 0.5,
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="Draw the landmarks of each face, too.")
    ] = False,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    faces: o.Faces = None,
    prompts: o.Prompts = None,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    people: o.People = False,
    person: o.Persons = None,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Write a video with a box and the best label at every face, and a timeline below.

    The sound is kept. A label is shown for the time that is nearest to the middle of its window.
    The model reads what a face shows, not what a person feels.
    """
    from ..export.annotate import check_video_ending

    for name, seconds in (("--window", window), ("--step", step)):
        if not (seconds > 0 and math.isfinite(seconds)):
            raise typer.BadParameter(f"{seconds} is not a positive number.", param_hint=name)
    try:
        check_video_ending(output)
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="-o") from None
    reading = o.parse_reading(faces, fps, allow_network, timeout, start=start, end=end)
    who = o.parse_people(people, person)
    check_outputs({"-o": output}, video, labels_file, prompts, o.photos_of(who))
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)

    def write(given: VideoInput) -> None:
        with working(f"reading {video}") as hook:
            reading["progress"] = hook
            timeline = loaded.timeline(
                given,
                requested,
                window=window,
                step=step,
                min_score=min_score,
                min_quality=min_quality,
                people=who,
                **reading,
            )
        with working(f"writing {output}") as hook:
            timeline.annotate(
                given,
                output,
                landmarks=landmarks,
                fps=fps,
                allow_network=allow_network,
                start=start,
                end=end,
                progress=hook,
            )

    _, reason = attempt(write, video)
    if reason is not None:
        complain(f"Error: {video}: {reason}")
        raise typer.Exit(1)
    complain(f"wrote {output}")
