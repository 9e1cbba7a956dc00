"""Synchrony of two faces: windowed cross-correlation of their scores, with lag.

Boker, Xu, Rotondo and King (2002), "Windowed cross-correlation and peak picking for the analysis
of variability in the association between behavioral time series", Psychological Methods 7(3).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..video import microseconds
from .events import Event, whole_event
from .scored_windows import ScoredWindows
from .tables import FlatResult

__all__ = ["Synchrony", "synchrony"]

_MIN_SAMPLES = 4  # of a correlation: three points are nearly a line by themselves
_EPS = 1e-6  # seconds


@dataclass(frozen=True)
class Synchrony(FlatResult):
    """How the scores of one label go together in two faces. NaN: missing.

    Attributes
    ----------
    event : str, optional
        Name of the event; None: the whole video, or an event without a name.
    start, end : float
        Seconds: of the event, or of the video's windows.
    first, second : int
        Numbers of the two faces.
    label : str
    correlation : float
        Pearson's correlation without lag, averaged over the windows.
    peak : float
        The correlation at the highest peak, averaged over the windows that have one: a peak is a
        lag whose correlation is above those of both neighbors, so the largest lag is none.
    lag : float
        Seconds at which that peak is, averaged likewise. **Positive: the second face follows the
        first**, and the first one leads; negative: the other way round.
    n_windows : int
        Windows with a correlation at one lag at least.
    n_peaks : int
        Those of them with a peak.
    """

    event: str | None
    start: float
    end: float
    first: int
    second: int
    label: str
    correlation: float
    peak: float
    lag: float
    n_windows: int
    n_peaks: int

    def to_record(self, source: str | None = None) -> dict[str, Any]:
        """Return a flat row."""
        return {"source": source, **vars(self)}


def synchrony(
    timeline: ScoredWindows,
    events: Iterable[Event] | None,
    window: float,
    max_lag: float,
    increment: float | None,
) -> list[Synchrony]:
    """Correlate each pair of faces; see :meth:`Timeline.synchrony`."""
    size, lags = _samples(timeline.step, window), _samples(timeline.step, max_lag)
    stride = timeline.step if increment is None else increment
    advance = _samples(timeline.step, stride)
    if not (math.isfinite(window) and size >= _MIN_SAMPLES):
        raise EmoCLIPError(
            f"a window of {window:g} s holds {size} of the timeline's windows, one each "
            f"{timeline.step:g} s; a correlation needs {_MIN_SAMPLES}: take a longer window, or a "
            "timeline with a shorter step"
        )
    if max_lag < 0 or not advance:
        raise EmoCLIPError(
            f"max_lag can't be negative, nor increment below the timeline's step of "
            f"{timeline.step:g} s: {max_lag:g} and {stride:g}"
        )
    starts, series = _series(timeline)
    begin = min((row.start for row in timeline.rows), default=0.0)
    stop = max((row.end for row in timeline.rows), default=0.0)
    ends = np.minimum(starts + timeline.window, stop)
    results = []
    for event in [Event(begin, math.inf)] if events is None else events:
        span = whole_event(timeline, event)
        # The windows of the timeline that lie in the event, so that no other time speaks for it.
        inside = (starts > span.start - _EPS) & (ends < span.end + _EPS)
        if events is None:
            inside[:] = True
        for first, second in itertools.combinations(series, 2):
            for i, label in enumerate(timeline.labels):
                x, y = (series[track][inside, i] for track in (first, second))
                r = _windowed_correlations(x, y, size, lags, advance)
                results.append(
                    Synchrony(
                        span.name,
                        microseconds(span.start),
                        microseconds(span.end) if math.isfinite(span.end) else math.nan,
                        first,
                        second,
                        label,
                        *_summary(r, timeline.step),
                    )
                )
    return results


def _samples(step: float, seconds: float) -> int:
    return math.floor(seconds / step + _EPS) if math.isfinite(seconds) else 0


def _series(
    timeline: ScoredWindows,
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
    """Return when windows begin (T,), and the scores (T, N) of each face there; NaN in gaps."""
    step = timeline.step
    begins = sorted({row.start for row in timeline.rows}) or [0.0]
    # Of a resampled timeline the first window may be shorter: its end is on the grid.
    n = -math.floor((begins[0] - begins[-1]) / step + _EPS) + 1
    series: dict[int, NDArray[np.float64]] = {}
    for row in timeline.rows:
        if row.track is not None and row.face_found:
            empty = np.full((n, len(timeline.labels)), np.nan)
            scores = series.setdefault(row.track, empty)
            at = math.floor((row.start - begins[-1]) / step + _EPS) + n - 1
            scores[at] = [row.scores[label] for label in timeline.labels]
    at_step = np.asarray(begins[-1] - step * np.arange(n)[::-1], np.float64)
    return at_step, dict(sorted(series.items()))


def _windowed_correlations(
    x: NDArray[np.float64], y: NDArray[np.float64], size: int, max_lag: int, advance: int
) -> NDArray[np.float64]:
    """Correlate windows of x with windows of y that lie up to `max_lag` samples earlier or later.

    Parameters
    ----------
    x, y : ndarray, (T,)
        NaN where a sample is missing.
    size, max_lag, advance : int
        Samples: length of a window, the largest lag, from one window of x to the next.

    Returns
    -------
    ndarray, (W, 2 max_lag + 1)
        Of window w and lag k: the correlation of ``x[w : w + size]`` and ``y[w + k : w + k +
        size]``. NaN where a sample of either is missing or beyond the ends, or one is constant.
    """
    starts = range(0, len(x) - size + 1, advance)
    result = np.full((len(starts), 2 * max_lag + 1), np.nan)
    if not len(starts):
        return result
    windows_x, windows_y = (
        np.lib.stride_tricks.sliding_window_view(values, size) for values in (x, y)
    )
    a, b = (w - w.mean(axis=1, keepdims=True) for w in (windows_x, windows_y))
    norm_a, norm_b = (np.sqrt((w**2).sum(axis=1)) for w in (a, b))
    at = np.array(starts)
    for k in range(-max_lag, max_lag + 1):
        inside = (at + k >= 0) & (at + k < len(b))
        i, j = at[inside], at[inside] + k
        norms = norm_a[i] * norm_b[j]
        # What is constant but for rounding has no correlation.
        varied = norms > 1e-12
        products = (a[i] * b[j]).sum(axis=1)
        result[inside, k + max_lag] = np.where(
            varied, products / np.where(varied, norms, 1.0), np.nan
        )
    return result


def _summary(r: NDArray[np.float64], step: float) -> tuple[float, float, float, int, int]:
    """Return mean correlation without lag, mean peak and its lag, and how many there are."""
    max_lag = r.shape[1] // 2
    known = ~np.isnan(r)
    zero = r[known[:, max_lag], max_lag]
    is_peak = np.zeros_like(known)
    is_peak[:, 1:-1] = (r[:, 1:-1] > r[:, :-2]) & (r[:, 1:-1] > r[:, 2:])
    # Boker et al. take the one nearest to no lag, of curves that they smooth first: in a curve of
    # some ten points, that is noise.
    lags = np.arange(-max_lag, max_lag + 1)
    with_peak = np.flatnonzero(is_peak.any(axis=1))
    at = np.where(is_peak, r, -np.inf)[with_peak].argmax(axis=1)
    return (
        float(zero.mean()) if len(zero) else math.nan,
        float(r[with_peak, at].mean()) if len(at) else math.nan,
        float(lags[at].mean() * step) if len(at) else math.nan,
        int(known.any(axis=1).sum()),
        len(at),
    )
