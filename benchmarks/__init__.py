"""Run from the repository: `python -m benchmarks` is `emoclip bench`; the rest stands alone."""
