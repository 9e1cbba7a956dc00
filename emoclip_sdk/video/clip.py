"""A video read the way a model would see it, in one call."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..config import SamplingConfig
from .opening import open_video
from .sampling import paper, uniform
from .source import Frame

__all__ = ["SamplingMode", "read_clip"]

SamplingMode = Literal["deterministic", "uniform", "paper"]


def read_clip(
    source: Any,
    sampling: SamplingConfig | None = None,
    mode: SamplingMode = "deterministic",
    *,
    seed: int = 0,
    fps: float | None = None,
    allow_network: bool = False,
) -> list[Frame]:
    """Read the frames of a video that a model would see.

    Parameters
    ----------
    source
        Anything that :func:`~emoclip_sdk.video.open_video` takes.
    sampling : SamplingConfig, optional
        The model's sampling; the defaults are the paper's sizes.
    mode : {"deterministic", "uniform", "paper"}
        "deterministic": the frames at k/rate, however many there are.
        "uniform": `n_frames` spread over the whole video. "paper": the reference's random window;
        its frames may repeat and wrap round.
    seed : int
        For "paper".
    fps, allow_network
        See :func:`~emoclip_sdk.video.open_video`.

    Returns
    -------
    list of Frame
        In the order in which the model sees them.

    Raises
    ------
    VideoError
        The source can't be opened or decoded.
    ValueError
        Unknown `mode`.
    """
    if mode not in ("deterministic", "uniform", "paper"):
        raise ValueError(f"mode must be 'deterministic', 'uniform' or 'paper', not {mode!r}")
    sampling = sampling or SamplingConfig()
    video = open_video(source, fps=fps, allow_network=allow_network)
    if mode == "deterministic":
        return list(video.sample(sampling.rate))
    if mode == "uniform":
        return video.choose(lambda n: uniform(n, sampling.n_frames))
    return video.choose(
        lambda n: paper(n, sampling.n_frames, sampling.stride, np.random.default_rng(seed))
    )
