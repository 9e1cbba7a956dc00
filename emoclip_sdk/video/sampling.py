"""Which frames: plans over frame numbers and times. Pure functions, NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeWindow", "inside", "paper", "time_windows", "uniform", "windows"]

EPS = 1e-6  # seconds; keeps sums of binary fractions on the side of the window they belong to


@dataclass(frozen=True)
class TimeWindow:
    """A stretch of a video.

    Parameters
    ----------
    start, end : float
        Seconds; a frame at `start` belongs to it, one at `end` to the next one.
    indices : tuple of int
        Positions in the sequence of sampled frames. Empty where the video has none.
    """

    start: float
    end: float
    indices: tuple[int, ...]


def windows(n: int, n_frames: int) -> list[tuple[int, int]]:
    """Cover `n` sampled frames by windows of `n_frames`.

    A video that fits into one window is one window, to be padded and masked later. A longer one
    gets the fewest full windows that cover it, equally spread: the first starts at 0 and the last
    ends at `n`, so that no frame is left out and none is padded.

    Returns
    -------
    list of (start, stop)
        Empty for ``n == 0``.

    Raises
    ------
    ValueError
        `n` is negative or `n_frames` is not positive.

    Examples
    --------
    >>> windows(20, 32), windows(80, 32)
    ([(0, 20)], [(0, 32), (24, 56), (48, 80)])
    """
    _check(n, n_frames)
    if n <= n_frames:
        return [(0, n)] if n else []
    count = -(-n // n_frames)
    last = n - n_frames
    starts = [(i * last + (count - 1) // 2) // (count - 1) for i in range(count)]
    return [(s, s + n_frames) for s in starts]


def time_windows(
    times: Sequence[float] | NDArray[Any], window: float, step: float, duration: float | None = None
) -> list[TimeWindow]:
    """Windows of `window` seconds, one every `step` seconds, as a timeline shows them.

    The last window is the first one that reaches the end, cut there. Windows without a frame are
    kept: a gap in the video is a gap in the timeline.

    Parameters
    ----------
    times : sequence of float
        Times of the sampled frames in seconds, ascending.
    window, step : float
        Seconds. A step longer than the window leaves stretches out.
    duration : float, optional
        Length of the video; without it, the last frame's time plus the usual distance of frames.

    Raises
    ------
    ValueError
        `window` or `step` is not positive.
    """
    if not (window > 0 and step > 0):
        raise ValueError(f"window and step must be positive, not {window} and {step}")
    at = np.asarray(times, dtype=np.float64)
    if at.size == 0:
        return []
    spacing = float(np.median(np.diff(at))) if at.size > 1 else 0.0
    end = max(duration or 0.0, float(at[-1]) + spacing)
    if end <= 0:  # a single picture has no length; it still is one window
        return [TimeWindow(0.0, 0.0, tuple(range(at.size)))]
    found: list[TimeWindow] = []
    k = 0
    while True:
        start = k * step
        if k and start >= end - EPS:
            break
        reaches = start + window >= end - EPS
        stop = end if reaches else start + window
        first = int(np.searchsorted(at, start - EPS))
        beyond = at.size if reaches else int(np.searchsorted(at, stop - EPS))
        found.append(TimeWindow(start, stop, tuple(range(first, beyond))))
        if reaches:
            break
        k += 1
    return found


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


def paper(n: int, n_frames: int, stride: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Frame numbers of one training clip as the reference implementation draws them.

    Every `stride`-th frame is kept; a window of `n_frames` of these starts at a random place and
    goes on from the beginning when it runs over the end; what is still too short is padded by
    reflection. The reference lets a short clip run through its beginning up to its full length
    once more before it reflects, and so does this.

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
    _check(n, n_frames)
    if n == 0 or stride <= 0:
        raise ValueError(f"n and stride must be positive, not {n} and {stride}")
    kept = np.arange(0, n, stride, dtype=np.intp)
    start = int(rng.integers(len(kept)))
    over = max(start + n_frames - len(kept), 0)
    clip = np.concatenate([kept[start : start + n_frames], kept[:over]])
    return np.pad(clip, (0, n_frames - len(clip)), mode="reflect")


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
    _check(n, n_frames)
    if n == 0 or stride <= 0:
        raise ValueError(f"n and stride must be positive, not {n} and {stride}")
    kept = np.arange(0, n, stride, dtype=np.intp)
    start = int(rng.integers(max(len(kept) - n_frames, 0) + 1))
    clip = kept[start : start + n_frames]
    return np.pad(clip, (0, n_frames - len(clip)), mode="edge")


def _check(n: int, n_frames: int) -> None:
    if n < 0 or n_frames <= 0:
        raise ValueError(f"n must not be negative and n_frames positive, not {n} and {n_frames}")
