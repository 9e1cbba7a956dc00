"""What a prediction rests on, frame by frame and text by text: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .numbers import json_value
from .tables import FlatResult

__all__ = ["DescriptionMatch", "FrameWeight"]


@dataclass(frozen=True)
class FrameWeight(FlatResult):
    """What one sampled frame of the face did for the decision.

    Attributes
    ----------
    time : float
        Seconds.
    box : tuple of float
        x0, y0, x1, y1 in pixels of the frame.
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
    change: float
    attention: float
    picture: bytes | None = field(default=None, repr=False)
    action_text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types, without the picture; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items() if name != "picture"}

    def to_record(self) -> dict[str, Any]:
        """Return a flat row, without the picture."""
        return {
            "time": self.time,
            **dict(zip(("face_x0", "face_y0", "face_x1", "face_y1"), self.box, strict=True)),
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
