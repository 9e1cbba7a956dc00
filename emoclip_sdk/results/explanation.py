"""What a prediction rests on: plain data, and its picture."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..export.strip import draw_strip
from .records import DescriptionMatch, FrameWeight, Prediction

__all__ = ["Explanation", "influential"]


@dataclass(frozen=True)
class Explanation:
    """What a prediction rests on. It tells about the model, not about the person.

    Attributes
    ----------
    prediction : Prediction
        As :meth:`EmoCLIP.classify` gives it.
    frames : tuple of FrameWeight
        All sampled frames of the face, in order of time; none without a face.
    descriptions : dict of str to tuple of DescriptionMatch
        The texts of each label, the one that fits best first; none without a face.
    """

    prediction: Prediction
    frames: tuple[FrameWeight, ...] = ()
    descriptions: dict[str, tuple[DescriptionMatch, ...]] = field(default_factory=dict)

    def top_frames(self, k: int = 8) -> tuple[FrameWeight, ...]:
        """Return, of each k-th part of the frames, the one that changed the score the most."""
        return tuple(self.frames[i] for i in influential([f.change for f in self.frames], k))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types, without pictures; NaN becomes None."""
        frames = [
            {
                "time": frame.time,
                "box": list(frame.box),
                "change": None if math.isnan(frame.change) else frame.change,
                "attention": frame.attention,
            }
            for frame in self.frames
        ]
        return {
            "prediction": self.prediction.to_dict(),
            "frames": frames,
            "descriptions": {
                label: [dataclasses.asdict(match) for match in matches]
                for label, matches in self.descriptions.items()
            },
        }

    def strip(self, path: str | Path | None = None) -> Any:
        """Draw the most telling faces with their weights; returns the matplotlib figure.

        Needs the extra ``plot``. With `path` the figure is also written there.

        Raises
        ------
        EmoCLIPError
            There is no face to draw, or the file can't be written.
        """
        return draw_strip(self.prediction, self.frames, path)


def influential(changes: Sequence[float] | NDArray[np.float64], k: int) -> list[int]:
    """Return, of each k-th part of N changes, the place of the largest one, up or down."""
    strength = np.abs(np.nan_to_num(np.asarray(changes, np.float64)))
    parts = np.array_split(np.arange(len(strength)), max(k, 1))
    return [int(part[strength[part].argmax()]) for part in parts if len(part)]
