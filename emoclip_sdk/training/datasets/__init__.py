"""Datasets on disk as clips with labels and captions."""

from .clips import Clip, ClipDataset, Problem, Split

__all__ = ["Clip", "ClipDataset", "Problem", "Split"]
