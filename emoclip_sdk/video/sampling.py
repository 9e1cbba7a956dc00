"""Which frames: plans over frame numbers and times. Pure functions, NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..config import Window

__all__ = ["clip_window", "inside", "paper", "uniform"]


def uniform(n: int, n_frames: int) -> NDArray[np.intp]:
    """Frame numbers spread over a clip: the middles of `n_frames` equal parts of it.

    Returns
    -------
    ndarray, shape (min(n, n_frames),)
        Ascending, without repetition.

    Raises
    ------
    ValueError
        `n` is negative or `n_frames` is not positive.
    """
    _check(n, n_frames)
    if n <= n_frames:
        return np.arange(n, dtype=np.intp)
    return (((2 * np.arange(n_frames) + 1) * n) // (2 * n_frames)).astype(np.intp)


def clip_window(n: int, n_frames: int, window: Window, start: int = 0) -> NDArray[np.intp]:
    """Which of `n` kept frames make a clip of `n_frames`: in training and when a model is used.

    Parameters
    ----------
    n : int
    n_frames : int
    window : {"wrap", "inside"}
        "wrap", as the reference implementation: a clip that runs over the end goes on from the
        beginning; what is still too short is padded by reflection. The reference lets a short clip
        run through its beginning up to its full length once more before it reflects, and so does
        this. "inside": a clip that is too short stands still at its end.
    start : int
        Training draws it. Otherwise 0.

    Returns
    -------
    ndarray, shape (n_frames,)

    Raises
    ------
    ValueError
        `n` or `n_frames` is not positive.
    """
    _check(n, n_frames)
    if n == 0:
        raise ValueError("a clip needs at least one frame")
    clip = np.arange(start, min(start + n_frames, n), dtype=np.intp)
    if window == "inside":
        return np.pad(clip, (0, n_frames - len(clip)), mode="edge")
    again = np.arange(min(max(start + n_frames - n, 0), n), dtype=np.intp)
    clip = np.concatenate([clip, again])
    return np.pad(clip, (0, n_frames - len(clip)), mode="reflect")


def paper(n: int, n_frames: int, stride: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Frame numbers of one training clip as the reference implementation draws them.

    Every `stride`-th frame is kept; a window of `n_frames` of these starts at a random place and
    wraps (:func:`clip_window`).

    Parameters
    ----------
    n : int
        Frames of the video.
    n_frames, stride : int
        See :class:`~emoclip_sdk.config.SamplingConfig`.
    rng : numpy.random.Generator
        Source of the random start.

    Returns
    -------
    ndarray, shape (n_frames,)
        Frame numbers, not ascending where the window wraps.

    Raises
    ------
    ValueError
        `n`, `n_frames` or `stride` is not positive.
    """
    kept = _kept(n, n_frames, stride)
    return kept[clip_window(len(kept), n_frames, "wrap", int(rng.integers(len(kept))))]


def inside(n: int, n_frames: int, stride: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Frame numbers of one training clip as :func:`paper`, but never out of order.

    The window lies inside the video; a video that is shorter stands still at its end.

    Returns
    -------
    ndarray, shape (n_frames,)
        Ascending, the last one repeated where the video is short.

    Raises
    ------
    ValueError
        `n`, `n_frames` or `stride` is not positive.
    """
    kept = _kept(n, n_frames, stride)
    start = int(rng.integers(max(len(kept) - n_frames, 0) + 1))
    return kept[clip_window(len(kept), n_frames, "inside", start)]


def _kept(n: int, n_frames: int, stride: int) -> NDArray[np.intp]:
    _check(n, n_frames)
    if n == 0 or stride <= 0:
        raise ValueError(f"n and stride must be positive, not {n} and {stride}")
    return np.arange(0, n, stride, dtype=np.intp)


def _check(n: int, n_frames: int) -> None:
    if n < 0 or n_frames <= 0:
        raise ValueError(f"n must not be negative and n_frames positive, not {n} and {n_frames}")
