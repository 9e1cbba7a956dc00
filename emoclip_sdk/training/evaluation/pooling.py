"""From the frames of a clip to its embedding: temporal module, frame ensemble, middle frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...model import EmoCLIP
from ..data.cache import pool_frames

__all__ = ["FrameMode", "clip_embeddings"]

FrameMode = Literal["temporal", "mean", "middle"]


def clip_embeddings(
    model: EmoCLIP, frames: Sequence[NDArray[np.float32]], mode: FrameMode = "temporal"
) -> NDArray[np.float32]:
    """Pool frame embeddings to one embedding per clip.

    Parameters
    ----------
    model : EmoCLIP
    frames : sequence of ndarray, each (T, D)
        NaN where the face is not in view; (0, D) for a clip that has no frame.
    mode : {"temporal", "mean", "middle"}
        "temporal": as :meth:`EmoCLIP.embed` does, by the model's own temporal module. "mean": the
        mean of all frames, the paper's frame ensemble. "middle": the middle one of the frames in
        which the face is in view.

    Returns
    -------
    ndarray, (N, D)
        Unnormalized; NaN for a clip without a frame.
    """
    if mode == "temporal":
        return pool_frames(model, frames)
    out = np.full((len(frames), model.encoder.width), np.nan, np.float32)
    for row, clip in zip(out, frames, strict=True):
        seen = clip[~np.isnan(clip).any(axis=1)]
        if len(seen):
            row[:] = seen.mean(axis=0) if mode == "mean" else seen[len(seen) // 2]
    return out
