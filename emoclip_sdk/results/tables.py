"""Results as flat rows: the names of their columns, and data frames of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError
from .numbers import json_value

if TYPE_CHECKING:
    import pandas

__all__ = ["COUNTS", "FLAGS", "TEXTS", "FlatResult", "label_columns", "to_pandas"]

COUNTS = ("track", "n_tracks", "n_frames", "frame", "first_frame", "last_frame")
"""Columns of whole numbers, which may be missing."""
FLAGS = ("face_found", "abstained", "prominent")
"""Columns of yes and no, which may be missing."""
TEXTS = (
    "source",
    "status",
    "error",
    "reason",
    "answer",
    "label",
    "reliability",
    "model",
    "revision",
    "prompt_bank",
    "weights",
    "action_text",
    "baseline",
    "event",
    "speaker",
    "text",
)
"""Columns of text, which may be missing. All others of a table of scores are numbers."""


class FlatResult:
    """A result whose fields are plain values: it is one row of a table."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {name: json_value(value) for name, value in vars(self).items()}

    def to_record(self) -> dict[str, Any]:
        """Return a flat row."""
        return dict(vars(self))


def label_columns(kind: str, values: Mapping[str, float]) -> dict[str, float]:
    """Return one column for each label: ``score:joy``, ``similarity:joy``, ``share:joy``."""
    return {f"{kind}:{label}": value for label, value in values.items()}


def to_pandas(records: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return a data frame of flat records.

    Counts and flags may be missing and are still whole numbers, yes or no.

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError("pandas", "plot", "A data frame") from None
    table = pandas.DataFrame.from_records(list(records))
    types = {**dict.fromkeys(COUNTS, "Int64"), **dict.fromkeys(FLAGS, "boolean")}
    return table.astype({name: kind for name, kind in types.items() if name in table})
