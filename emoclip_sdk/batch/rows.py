"""Predictions as rows of a batch's Parquet file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..export.tables import table_schema
from ..inference.action_measures import named_measures
from ..results.numbers import nullable
from ..results.records import Prediction
from ..results.text import unicode_text

if TYPE_CHECKING:
    import pyarrow

__all__ = ["prediction_rows", "row_schema"]


def row_schema(labels: Sequence[str], actions: bool = False) -> pyarrow.Schema:
    """Return the columns of the output, without those that come from a manifest."""
    nothing = dict.fromkeys(labels, math.nan)
    measures = named_measures(None) if actions else None
    return table_schema(
        [*Prediction("", nothing, nothing, {}, actions=measures).to_record(), "weights"]
    )


def prediction_rows(
    name: str, predictions: Sequence[Prediction], weights: str
) -> list[dict[str, Any]]:
    """Flatten the predictions of one video: :meth:`Prediction.to_record`, and the weights.

    Parameters
    ----------
    name : str
        What the output calls the video.
    predictions : sequence of Prediction
        One for each face that was asked for.
    weights : str
        Hash of the model's weights.
    """
    rows = []
    for prediction in predictions:
        error = prediction.error and unicode_text(prediction.error)
        record = dataclasses.replace(prediction, source=name, error=error).to_record()
        rows.append({**nullable(record), "weights": weights})
    return rows
