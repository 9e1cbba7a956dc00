"""The suite behind a model card: every figure that says how good a small model is, in one run."""

from .rows import CardRow, EvaluatedPictures, EvaluatedSplit
from .store import local_folder, writable_folder, write_card
from .suite import card_suite

__all__ = [
    "CardRow",
    "EvaluatedPictures",
    "EvaluatedSplit",
    "card_suite",
    "local_folder",
    "writable_folder",
    "write_card",
]
