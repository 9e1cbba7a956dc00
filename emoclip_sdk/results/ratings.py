"""What a probe estimates from an interview: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .numbers import json_value
from .tables import FlatResult, to_pandas

if TYPE_CHECKING:
    import pandas

__all__ = ["ProbeResult", "ScoreEstimate"]


@dataclass(frozen=True)
class ScoreEstimate(FlatResult):
    """A probe's estimate of one score. NaN without a face.

    Attributes
    ----------
    value : float
    low, high : float
        95 % of the errors that the probe made on patients it wasn't trained on lay within.
    mae : float
        Mean of their absolute values.
    """

    value: float
    low: float
    high: float
    mae: float


@dataclass(frozen=True)
class ProbeResult:
    """What a probe estimates from one interview. For research: no diagnosis.

    Attributes
    ----------
    source : str
        File name or description of the video.
    scores : dict of str to ScoreEstimate
    n_clips : int
        Clips whose predictions were averaged; 0 where no face was found.
    encoder : str, optional
        Name of the model that embedded the clips.
    """

    source: str
    scores: dict[str, ScoreEstimate]
    n_clips: int
    encoder: str | None = None

    @property
    def face_found(self) -> bool:
        """Whether there was a face to score."""
        return self.n_clips > 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "source": self.source,
            "face_found": self.face_found,
            "n_clips": self.n_clips,
            "encoder": self.encoder,
            "scores": json_value(self.scores),
        }

    def to_records(self) -> list[dict[str, Any]]:
        """Return a flat row for each score."""
        about = {key: getattr(self, key) for key in ("source", "face_found", "n_clips", "encoder")}
        return [
            {**about, "score": name, **estimate.to_record()}
            for name, estimate in self.scores.items()
        ]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())
