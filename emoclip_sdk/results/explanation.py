"""What a prediction rests on: plain data, and its picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..export.strip import draw_strip
from .evidence import DescriptionMatch, FrameWeight, telling
from .numbers import json_value
from .records import Prediction
from .tables import to_pandas

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

__all__ = ["Explanation"]


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
    action_text : str
        Which facial actions are stronger and weaker in the quarter of the frames that shows the
        label most than in the others, in words; nothing where none is, or where the score is the
        same throughout.
    origin : str, optional
        The file or folder that was read: nothing is written over it.
    """

    prediction: Prediction
    frames: tuple[FrameWeight, ...] = ()
    descriptions: dict[str, tuple[DescriptionMatch, ...]] = field(default_factory=dict)
    action_text: str = ""
    origin: str | None = field(default=None, repr=False, compare=False)

    @property
    def error(self) -> str | None:
        """Why the video could not be read. Set only for videos of a list; a single one raises."""
        return self.prediction.error

    def top_frames(self, k: int = 8) -> tuple[FrameWeight, ...]:
        """Return up to `k` frames, in order of time, between which the scores differ the most.

        Fewer where the others look alike: one, where the score is the same throughout.
        """
        winner = self.prediction.label
        if winner is None:
            return ()
        return tuple(self.frames[i] for i in telling([f.scores for f in self.frames], winner, k))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types, without pictures; NaN becomes None."""
        values: dict[str, Any] = json_value(
            {
                "prediction": self.prediction,
                "frames": self.frames,
                "descriptions": self.descriptions,
                "action_text": self.action_text,
            }
        )
        return values

    def to_records(self) -> list[dict[str, Any]]:
        """Return a flat row for each frame of the face, without pictures."""
        about = {key: getattr(self.prediction, key) for key in ("source", "track", "label")}
        return [{**about, **frame.to_record()} for frame in self.frames]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())

    def strip(self, path: str | Path | None = None) -> Figure:
        """Draw the most telling faces with their weights; returns the matplotlib figure.

        Needs the extra ``plot``. With `path` the figure is also written there.

        Raises
        ------
        EmoCLIPError
            There is no face to draw, or the file can't be written.
        """
        return draw_strip(self.prediction, self.frames, path, self.origin)
