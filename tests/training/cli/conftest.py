"""Small data sets and studies that other rooms' tests use, too."""

from __future__ import annotations

from ..evaluation.card.conftest import checkpoint, ferplus, outside
from ..evaluation.conftest import pictures
from ..ness.conftest import planted

__all__ = ["checkpoint", "ferplus", "outside", "pictures", "planted"]
