"""Datasets on disk as clips with labels and captions."""

from .classes import BASIC_CLASSES, MAFW_CLASSES, MAFW_COMPOUNDS
from .clips import Clip, ClipDataset, Problem, Split
from .registry import DATASETS, DatasetInfo, DatasetTask, open_clips
from .validation import with_validation

__all__ = [
    "BASIC_CLASSES",
    "DATASETS",
    "MAFW_CLASSES",
    "MAFW_COMPOUNDS",
    "Clip",
    "ClipDataset",
    "DatasetInfo",
    "DatasetTask",
    "Problem",
    "Split",
    "open_clips",
    "with_validation",
]
