"""The recipe of the embedded model."""

from .run import leave_classes_out, run_mini

__all__ = ["leave_classes_out", "run_mini"]
