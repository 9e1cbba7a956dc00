"""Many videos: decoded in processes that may die, into a Parquet file that survives a kill."""

from .inputs import BatchInput, find_inputs
from .local import BatchClassifier, in_input_order
from .run import BatchReport, run_batch

__all__ = [
    "BatchClassifier",
    "BatchInput",
    "BatchReport",
    "find_inputs",
    "in_input_order",
    "run_batch",
]
