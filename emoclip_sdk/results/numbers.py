"""Missing numbers: NaN in Python and in data frames, null in JSON and Parquet, nothing in CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["json_value", "nullable"]


def nullable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flat row with None for NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in record.items()
    }


def json_value(value: Any) -> Any:
    """Return a value as JSON types: NaN becomes None, a tuple a list, a result its `to_dict`."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [json_value(item) for item in value]
    return value
