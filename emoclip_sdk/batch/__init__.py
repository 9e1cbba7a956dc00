"""Many videos: decoded in processes that may die, into a Parquet file that survives a kill."""

from .inputs import BatchInput, find_inputs
from .local import LIMIT_S, BatchClassifier, in_order
from .run import BatchReport, run_batch

__all__ = [
    "LIMIT_S",
    "BatchClassifier",
    "BatchInput",
    "BatchReport",
    "find_inputs",
    "in_order",
    "run_batch",
]
