"""Flat records as a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError

if TYPE_CHECKING:
    import pandas

__all__ = ["to_pandas"]


def to_pandas(records: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return a data frame of flat records. ``track`` may be missing and is still a whole number.

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
    return table.astype({"track": "Int64"}) if "track" in table else table
