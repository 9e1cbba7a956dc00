"""Datasets on disk, their crops, and the frame cache."""
