"""From the frames of a clip to its embedding: temporal module, frame ensemble, middle frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...model import EmoCLIP
from ...video import inside, paper
from ..data.cache import pool_frames

__all__ = ["FrameMode", "clip_embeddings"]

FrameMode = Literal["temporal", "mean", "middle", "window"]


def clip_embeddings(
    model: EmoCLIP, frames: Sequence[NDArray[np.float32]], mode: FrameMode = "temporal"
) -> NDArray[np.float32]:
    """Pool frame embeddings to one embedding per clip.

    Parameters
    ----------
    model : EmoCLIP
    frames : sequence of ndarray, each (T, D)
        NaN where the face is not in view; (0, D) for a clip that has no frame.
    mode : {"temporal", "mean", "middle", "window"}
        "temporal": as :meth:`EmoCLIP.embed` does, by the model's own temporal module. "mean": the
        mean of all frames, the paper's frame ensemble. "middle": the middle one of the frames in
        which the face is in view. "window": as the reference evaluates, one clip of the model's
        span from a random start, drawn from the row; a clip that is longer is not seen whole.

    Returns
    -------
    ndarray, (N, D)
        Unnormalized; NaN for a clip without a frame.
    """
    if mode == "temporal":
        return pool_frames(model, frames)
    if mode == "window":
        frames = [_random_window(model, clip, row) for row, clip in enumerate(frames)]
        return pool_frames(model, frames)
    out = np.full((len(frames), model.encoder.width), np.nan, np.float32)
    for row, clip in zip(out, frames, strict=True):
        seen = clip[~np.isnan(clip).any(axis=1)]
        if len(seen):
            row[:] = seen.mean(axis=0) if mode == "mean" else seen[len(seen) // 2]
    return out


def _random_window(model: EmoCLIP, frames: NDArray[np.float32], row: int) -> NDArray[np.float32]:
    """Return the frames of one training clip, (n_frames, D); none where no face is in view."""
    seen = frames[~np.isnan(frames).any(axis=1)]
    sampling = model.config.sampling
    if not len(seen):
        return seen
    draw = inside if sampling.window == "inside" else paper
    return seen[draw(len(seen), sampling.n_frames, 1, np.random.default_rng(row))]
