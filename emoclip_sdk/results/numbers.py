"""Results as plain types: NaN in Python and data frames, null in JSON and Parquet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .text import unicode_text

__all__ = ["json_value", "nullable"]


def nullable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flat row with None for NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in record.items()
    }


def json_value(value: Any) -> Any:
    """Return a value as JSON types: NaN becomes None, a tuple a list, a result its `to_dict`.

    Text holds no lone surrogate afterwards.
    """
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, str):
        return unicode_text(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {json_value(key): json_value(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [json_value(item) for item in value]
    return value
