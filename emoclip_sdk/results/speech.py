"""Who speaks, and when: a mouth that talks shows no expression."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

from .numbers import json_value
from .tables import FlatResult

__all__ = ["Speech", "SpokenWindow", "Utterance"]


@dataclass(frozen=True)
class Utterance(FlatResult):
    """What somebody says.

    Attributes
    ----------
    start, end : float
        Seconds on the clock of the video.
    speaker : str, optional
        None where nothing says who.
    text : str, optional
        None where nothing says what.
    """

    start: float
    end: float
    speaker: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class SpokenWindow:
    """What is said in a window.

    Attributes
    ----------
    speaking : float
        The share of the window in which somebody speaks, in [0, 1].
    speaker : str, optional
        Who speaks longest in it.
    text : str, optional
        The texts of all utterances that reach into it.
    """

    speaking: float
    speaker: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Speech:
    """The utterances beside a video; what :func:`read_speech` returns.

    Attributes
    ----------
    utterances : tuple of Utterance
        In order of time.
    faces : dict of int to str
        The speaker whose face a track is, where this is known: for its windows nobody else counts.

    Examples
    --------
    >>> speech = Speech((Utterance(0.5, 1.5, "A", "hello"), Utterance(1.0, 4.0, "B", "well")))
    >>> speech.window(0.0, 2.0)
    SpokenWindow(speaking=0.75, speaker='A', text='hello well')
    """

    utterances: tuple[Utterance, ...]
    faces: Mapping[int, str] = field(default_factory=dict)

    def window(self, start: float, end: float, track: int | None = None) -> SpokenWindow:
        """Return what is said between two times, in seconds; by the speaker of `track`, if known.

        Where they are the same, as of a picture, what is said at this instant.
        """
        name = None if track is None else self.faces.get(track)
        return self._timed[name].window(start, end)

    @cached_property
    def _timed(self) -> dict[str | None, _Timed]:
        every = {None: _Timed(self.utterances)}
        return every | {
            name: _Timed(each for each in self.utterances if each.speaker == name)
            for name in self.faces.values()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        values: dict[str, Any] = json_value(
            {"utterances": self.utterances, "faces": {str(k): v for k, v in self.faces.items()}}
        )
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Speech:
        """Return what :meth:`to_dict` was made of."""
        utterances = tuple(Utterance(**each) for each in values["utterances"])
        return cls(utterances, {int(track): name for track, name in values["faces"].items()})


class _Timed:
    """Utterances in which those of a window are found fast."""

    def __init__(self, utterances: Iterable[Utterance]) -> None:
        self._all = sorted(utterances, key=lambda each: (each.start, each.end))
        self._starts = [each.start for each in self._all]
        self._ends = list(accumulate((each.end for each in self._all), max))  # of all so far

    def window(self, start: float, end: float) -> SpokenWindow:
        low = bisect_right(self._ends, start)
        high = bisect_left(self._starts, end) if end > start else bisect_right(self._starts, start)
        inside = [each for each in self._all[low:high] if each.end > start]
        if not inside:
            return SpokenWindow(0.0)
        spoken, until = 0.0, -math.inf
        speakers: dict[str | None, float] = {}
        for each in inside:
            begin, stop = max(each.start, start), min(each.end, end)
            spoken += max(0.0, stop - max(begin, until))
            until = max(until, stop)
            speakers[each.speaker] = speakers.get(each.speaker, 0.0) + stop - begin
        texts = [each.text for each in inside if each.text]
        return SpokenWindow(
            min(round(spoken / (end - start), 6), 1.0) if end > start else 1.0,
            max(speakers, key=speakers.__getitem__),
            " ".join(texts) or None,
        )
