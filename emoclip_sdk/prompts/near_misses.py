"""Words that a label almost is: what a misspelled one may have been meant to be."""

from __future__ import annotations

import difflib

from .bank import PromptBank
from .labels import label_key

__all__ = ["near_misses"]

_CLOSE = 0.85
"""Ratio of difflib: one letter too few or too many in a word of four, two in a word of nine."""


def near_misses(bank: PromptBank, label: str, *, cutoff: float = _CLOSE) -> list[str]:
    """Return up to two wordings of the bank that are spelled almost as a label; best first.

    Empty for a label that the bank knows. Two wordings of one entry count once.
    """
    if label in bank:
        return []
    wordings = {label_key(text): (text, name) for text, name in bank.wordings().items()}
    close = difflib.get_close_matches(label_key(label), list(wordings), n=6, cutoff=cutoff)
    by_name: dict[str, str] = {}
    for key in close:
        text, name = wordings[key]
        by_name.setdefault(name, text)
    return list(by_name.values())[:2]
