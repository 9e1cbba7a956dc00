"""What a label is: its comparison key, its parts, and whether it is a sentence."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["CAPTION_WORDS", "is_caption", "label_key", "label_parts", "tidy"]

CAPTION_WORDS = 5
"""A label of at least this many words is a description in its own right."""

_IGNORED = re.compile(r"[\s_\-\u2010-\u2015]+")
_JOINERS = re.compile(r"\s*(?:[+&,/_]|\band\b)\s*", re.IGNORECASE)


def tidy(text: str) -> str:
    """Return `text` in Unicode NFC with every run of white space as one blank, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def label_key(label: str) -> str:
    """Return the form in which labels are compared: no case, blank, hyphen or underscore.

    Examples
    --------
    >>> label_key("Half-asleep") == label_key("half_asleep") == label_key("HALF ASLEEP")
    True
    """
    return _IGNORED.sub("", unicodedata.normalize("NFKC", label).casefold())


def label_parts(label: str) -> list[str]:
    """Split a joined label: ``"anger, disgust and contempt"`` has three parts, ``"anger"`` one."""
    return [part for part in _JOINERS.split(label) if part.strip()]


def is_caption(label: str) -> bool:
    """Whether a label is a sentence to be used word for word, rather than the name of something."""
    return len(label.split()) >= CAPTION_WORDS
