"""What the faces in front of a camera showed in one window of time: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .numbers import json_value
from .records import ModelInfo
from .scored_windows import TimelineRow
from .tables import to_pandas

if TYPE_CHECKING:
    import pandas

__all__ = ["LiveResult"]


@dataclass(frozen=True)
class LiveResult:
    """What the faces in front of a camera showed in one window of time.

    Attributes
    ----------
    source : str
        ``"camera 0"``, ``"frames"`` or the name of a file.
    start, end : float
        Seconds from the first frame; for a file, on its own clock.
    rows : tuple of TimelineRow
        One for each face in the window; one without a track where nobody is there.
    fps : float
        Frames per second that the model looked at in this window; less than its sampling rate
        where frames were dropped.
    dropped : int
        Frames so far that came while the model was busy, and were left out.
    delay : float
        Seconds from the coming of the frame that ended the window to this result.
    model : ModelInfo
    """

    source: str
    start: float
    end: float
    rows: tuple[TimelineRow, ...]
    fps: float
    dropped: int
    delay: float
    model: ModelInfo

    @property
    def face_found(self) -> bool:
        """Whether somebody is there."""
        return any(row.face_found for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items()}

    def to_records(self) -> list[dict[str, Any]]:
        """Return a flat row for each face in the window, as those of a :class:`Timeline`."""
        return [row.to_record(self.source, self.model) for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())
