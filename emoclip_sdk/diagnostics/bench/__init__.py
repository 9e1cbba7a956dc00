"""Benchmarks of `emoclip bench`: this package beside a reference pipeline."""

from .run import run_benchmarks

__all__ = ["run_benchmarks"]
