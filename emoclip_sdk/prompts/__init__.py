"""Labels to text embeddings: the bank of curated descriptions and the composer. Knows no video."""

from .bank import PromptBank
from .check import check
from .composer import CompoundMode, LabelText, compose
from .label_encoder import LabelEncoder
from .labels import LabelSet
from .near_misses import near_misses

__all__ = [
    "CompoundMode",
    "LabelEncoder",
    "LabelSet",
    "LabelText",
    "PromptBank",
    "check",
    "compose",
    "near_misses",
]
