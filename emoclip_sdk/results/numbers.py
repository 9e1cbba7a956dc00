"""Missing numbers: NaN in Python, null in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["null_number", "null_numbers"]


def null_number(value: float) -> float | None:
    """Return None for NaN, which JSON can't hold."""
    return None if math.isnan(value) else value


def null_numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return a mapping with None for NaN."""
    return {key: null_number(value) for key, value in values.items()}
