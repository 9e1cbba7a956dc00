"""Benchmarks, run as `python -m benchmarks` from the repository."""
