"""How much a prompt file may hold: far beyond what anybody writes, and read within seconds."""

from __future__ import annotations

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "MAX_ITEMS",
    "MAX_LETTERS",
    "MAX_TEXTS",
    "MAX_TEXTS_OF_COMPOUND",
    "MAX_WEIGHT",
]

MAX_BYTES = 4 * 2**20
MAX_ENTRIES = 2000
"""Labels and compounds of a file."""
MAX_ITEMS = 500
"""Descriptions, aliases or parts of one of them."""
MAX_TEXTS = 50_000
"""Texts of a file, each repetition by a YAML alias counted."""
MAX_LETTERS = 2000
"""Of a text; a text tower reads about 300."""
MAX_DEPTH = 8
"""Compounds of compounds."""
MAX_TEXTS_OF_COMPOUND = 2000
"""Texts that a compound is made of in the end."""
MAX_WEIGHT = 1e6
"""Of a part; 1 / MAX_WEIGHT is the least."""
