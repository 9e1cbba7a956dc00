"""``emoclip annotate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EmoCLIPError
from ..inference.options import STEP, WINDOW
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
    window: o.Window = WINDOW,
    step: o.Step = STEP,
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="Draw the landmarks of each face, too.")
    ] = False,
    anonymize: Annotated[
        bool,
        typer.Option(
            "--anonymize",
            help="Blur every face that is found, also those without a score. Voices stay.",
        ),
    ] = False,
    keep_face: Annotated[
        list[int] | None,
        typer.Option(
            metavar="ID",
            min=0,
            help="With --anonymize: leave the face of this number as it is. May be repeated.",
        ),
    ] = None,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    prompts: o.Prompts = None,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
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

    o.check_windows(window, step)
    try:
        check_video_ending(output)
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="-o") from None
    if keep_face and not anonymize:
        raise typer.BadParameter("is for --anonymize.", param_hint="--keep-face")
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, start=start, end=end, min_face=min_face
    )
    check_outputs({"-o": output}, video, labels_file, prompts)
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
                **reading,
            )
        with working(f"writing {output}") as hook:
            timeline.annotate(
                given,
                output,
                landmarks=landmarks,
                anonymize=anonymize,
                keep_faces=keep_face or (),
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
