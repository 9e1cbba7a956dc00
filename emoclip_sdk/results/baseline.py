"""A person's own neutral face, and what differs from it: plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .numbers import json_value

__all__ = ["BaselineKind", "FaceBaseline", "changes"]

BaselineKind = Literal["auto", "span", "video"]
"""The most neutral second of the video, a span of time, another video of the person."""


@dataclass(frozen=True)
class FaceBaseline:
    """What the scores and actions of one face are compared with.

    Attributes
    ----------
    track : int
        The face that is compared.
    kind : {"auto", "span", "video"}
        What was asked for: the face's most neutral second, a span of time, another video.
    reason : str, optional
        Why there is none, and so nothing to compare with. None where there is one.
    source : str, optional
        Name of the other video.
    start, end : float
        Seconds; NaN where there is none.
    n_frames : int
        Sampled frames that it is the mean of.
    neutral : float
        Of ``"auto"``: the score of "neutral" among the model's own labels, in the best second.
    movement : float
        Of ``"auto"``: mean change of the face per second there; see :class:`NeutralSearch`.
    scores : dict of str to float, optional
        Of the labels, in these frames.
    actions : dict of str to float, optional
        Means of the actions in these frames.
    """

    track: int
    kind: BaselineKind
    reason: str | None = None
    source: str | None = None
    start: float = math.nan
    end: float = math.nan
    n_frames: int = 0
    neutral: float = math.nan
    movement: float = math.nan
    scores: dict[str, float] | None = field(default=None, repr=False)
    actions: dict[str, float] | None = field(default=None, repr=False)

    @property
    def used(self) -> bool:
        """Whether there is one."""
        return self.reason is None

    def sentence(self) -> str:
        """Say in words what the face is compared with."""
        if self.reason is not None:
            return f"face {self.track}: no baseline ({self.reason})"
        where = f"{self.start:.1f} to {self.end:.1f} s"
        if self.source is not None:
            where += f" of {self.source}"
        return f"face {self.track}: baseline is {where}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items()}


def changes(values: Mapping[str, float], baseline: Mapping[str, float] | None) -> dict[str, float]:
    """Return values minus those of a baseline; NaN without one."""
    if baseline is None:
        return dict.fromkeys(values, math.nan)
    return {name: value - baseline.get(name, math.nan) for name, value in values.items()}
