"""``emoclip embed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options as o
from .loading import load_model
from .output import complain, progress
from .outputs import check_outputs
from .videos import attempt, expand

__all__ = ["embed"]


def embed(
    videos: o.Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .npz file to write.")],
    model: o.Model = None,
    track: o.OneTrack = "prominent",
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Embed videos to vectors, unnormalized, in one NumPy file.

    Its arrays: embeddings (N, D) float32, NaN without a face; sources (N,); face_found (N,);
    errors (N,), empty where all went well; model.
    """
    chosen = o.parse_one_track(track)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end, min_face=min_face
    )
    if output.suffix.lower() != ".npz":
        raise typer.BadParameter(f"'{output}' does not end in .npz.", param_hint="-o")
    paths = expand(videos)
    check_outputs({"-o": output}, paths)
    loaded = load_model(model, device, dtype)
    import numpy as np

    from ..export.files import atomic_write
    from ..results.text import unicode_text

    rows = np.full((len(paths), loaded.encoder.width), np.nan, np.float32)
    errors: list[str] = []
    with progress(len(paths)) as begin:
        for row, video in zip(rows, paths, strict=True):
            vector, reason = attempt(
                loaded.embed, video, track=chosen, progress=begin(video), **reading
            )
            if vector is not None:
                row[:] = vector
            errors.append(reason or "")
    face_found = ~np.isnan(rows).any(axis=1)
    with atomic_write(output) as part, part.open("wb") as file:
        np.savez(
            file,
            embeddings=rows,
            sources=np.array(list(map(unicode_text, paths))),
            face_found=face_found,
            errors=np.array(list(map(unicode_text, errors))),
            model=np.array(loaded.name),
        )
    for video, reason in zip(paths, errors, strict=True):
        if reason:
            complain(f"{video}: {reason}")
    failed = sum(map(bool, errors))
    without = int((~face_found).sum()) - failed
    complain(
        f"wrote {output}: {len(rows)} embeddings of width {rows.shape[1]}; "
        f"{without} without a face, {failed} failed"
    )
    if failed:
        raise typer.Exit(1)
