"""What `emoclip bench` measures: this package beside the way everyone writes it."""

from .rows import run_benchmarks

__all__ = ["run_benchmarks"]
