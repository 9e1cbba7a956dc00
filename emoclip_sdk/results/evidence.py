"""What a prediction rests on, frame by frame and text by text: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .numbers import json_value
from .tables import FlatResult, label_columns

__all__ = ["NOISE", "DescriptionMatch", "FrameWeight", "telling"]

NOISE = 0.005
"""Half a percentage point of a score. The same video written anew in H.264 at CRF 18, 23 and 28
changes its scores by up to 0.003: what is less than this says nothing."""


@dataclass(frozen=True)
class FrameWeight(FlatResult):
    """What one sampled frame of the face did for the decision.

    Attributes
    ----------
    time : float
        Seconds.
    box : tuple of float
        x0, y0, x1, y1 in pixels of the frame.
    scores : dict of str to float
        Of the second about this frame, scored by itself.
    change : float
        Score of the winning label minus its score without this frame: above 0, the frame spoke for
        the label. NaN where it is the only frame.
    attention : float
        Share that the class token's attention gives to this frame, over all layers (attention
        rollout); all frames sum to 1. A frame ensemble gives each the same. Where the last clip of
        a long video overlaps the one before, frames count twice.
    picture : bytes, optional
        The face as a JPEG file, for some of the frames.
    action_text : str
        Which facial actions are stronger and weaker than in the other frames, in words
        (:func:`describe_changes`); nothing where none is, or where the face's shape can't be seen.
    """

    time: float
    box: tuple[float, float, float, float]
    scores: dict[str, float]
    change: float
    attention: float
    picture: bytes | None = field(default=None, repr=False)
    action_text: str = ""

    @property
    def counts(self) -> bool:
        """Whether the result changes without this frame, by more than noise."""
        return abs(self.change) >= NOISE  # False for NaN

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types, without the picture; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items() if name != "picture"}

    def to_record(self) -> dict[str, Any]:
        """Return a flat row, without the picture."""
        return {
            "time": self.time,
            **dict(zip(("face_x0", "face_y0", "face_x1", "face_y1"), self.box, strict=True)),
            **label_columns("score", self.scores),
            "change": self.change,
            "attention": self.attention,
            "action_text": self.action_text,
        }


@dataclass(frozen=True)
class DescriptionMatch(FlatResult):
    """How well one text of a label fits.

    Attributes
    ----------
    text : str
    weight : float
        Its share in the label.
    similarity : float
        Cosine similarity of the face and this text alone.
    """

    text: str
    weight: float
    similarity: float


def telling(frames: Sequence[Mapping[str, float]], winner: str, k: int) -> list[int]:
    """Return up to `k` frames, in order, between which the scores differ the most.

    The one that shows the winning label best, then each time the one whose scores differ most from
    all that were chosen. Frames that differ by no more than noise are not worth a second look.

    Parameters
    ----------
    frames : sequence of mapping of str to float
        The scores of each of N frames.
    winner : str
    k : int

    Returns
    -------
    list of int
        Places in `frames`.
    """
    if not frames or k < 1:
        return []
    scores = np.array([list(frame.values()) for frame in frames])
    chosen = [int(np.argmax([frame[winner] for frame in frames]))]
    distance = np.abs(scores - scores[chosen[0]]).max(axis=1)
    while len(chosen) < k and distance.max() >= NOISE:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.abs(scores - scores[chosen[-1]]).max(axis=1))
    return sorted(chosen)
