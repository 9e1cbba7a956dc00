"""Many videos: decoded in processes that may die, into a Parquet file that survives a kill."""

from .action_run import run_actions
from .inputs import BatchInput, find_inputs
from .local import BatchEngine, in_input_order
from .run import run_batch
from .table_run import BatchReport

__all__ = [
    "BatchEngine",
    "BatchInput",
    "BatchReport",
    "find_inputs",
    "in_input_order",
    "run_actions",
    "run_batch",
]
