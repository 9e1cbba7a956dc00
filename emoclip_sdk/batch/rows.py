"""Predictions as rows of a Parquet file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError
from ..results.records import Prediction

if TYPE_CHECKING:
    import pyarrow

__all__ = ["FAILED", "NO_FACE", "OK", "prediction_rows", "require_pyarrow", "row_schema"]

OK, NO_FACE, FAILED = "ok", "no face", "failed"


def require_pyarrow() -> ModuleType:
    """Import pyarrow.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", "Writing Parquet") from None
    return pyarrow


def row_schema(labels: Sequence[str]) -> pyarrow.Schema:
    """Return the columns of the output, without those that come from a manifest."""
    pa = require_pyarrow()
    columns = {
        "path": pa.string(),
        "status": pa.string(),
        "error": pa.string(),
        "track": pa.int32(),
        "n_tracks": pa.int32(),
        "label": pa.string(),
        "confidence": pa.float64(),
        "abstained": pa.bool_(),
        "n_frames": pa.int32(),
        "duration": pa.float64(),
        **{f"score:{label}": pa.float64() for label in labels},
        **{f"similarity:{label}": pa.float64() for label in labels},
        "model": pa.string(),
        "revision": pa.string(),
        "prompt_bank": pa.string(),
        "weights": pa.string(),
    }
    return pa.schema(list(columns.items()))


def prediction_rows(
    name: str, predictions: Sequence[Prediction], weights: str
) -> list[dict[str, Any]]:
    """Flatten the predictions of one video.

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
    for p in predictions:
        failed = p.error is not None
        cosines = p.similarities.items()
        rows.append(
            {
                "path": name,
                "status": FAILED if failed else OK if p.face_found else NO_FACE,
                "error": p.error and p.error.encode("utf-8", "backslashreplace").decode(),
                "track": p.track,
                "n_tracks": None if failed else p.n_tracks,
                "label": p.label,
                "confidence": _number(p.confidence),
                "abstained": p.abstained if p.face_found else None,
                "n_frames": None if failed else p.n_frames,
                "duration": p.duration,
                **{f"score:{label}": _number(value) for label, value in p.scores.items()},
                **{f"similarity:{label}": _number(value) for label, value in cosines},
                "model": p.model and p.model.name,
                "revision": p.model and p.model.revision,
                "prompt_bank": p.model and p.model.prompt_bank,
                "weights": weights,
            }
        )
    return rows


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
