"""Labels to text embeddings: the bank of curated descriptions and the composer. Knows no video."""

from .bank import PromptBank
from .check import check
from .composer import CompoundMode, LabelText, compose
from .label_encoder import LabelEncoder

__all__ = ["CompoundMode", "LabelEncoder", "LabelText", "PromptBank", "check", "compose"]
