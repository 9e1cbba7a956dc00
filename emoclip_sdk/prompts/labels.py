"""What a label is: its comparison key, its parts, and whether it is a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from ..errors import PromptError

__all__ = [
    "CAPTION_WORDS",
    "SENTENCE_END",
    "LabelSet",
    "has_latin_word",
    "is_caption",
    "label_key",
    "label_parts",
    "listed_labels",
    "require_unicode",
    "tidy",
]

LabelSet = Sequence[str] | Mapping[str, str | Sequence[str] | None]
"""Labels, or labels with the descriptions that stand for them; None: as the prompt bank says."""

CAPTION_WORDS = 5
"""A label of at least this many words is a description in its own right."""

_IGNORED = re.compile(r"[\s_\-\u2010-\u2015]+")
SENTENCE_END = ".,;:!?\u2026\u3002"
"""Marks at the end of a label that are no part of it: it was copied from a sentence."""
_SEPARATORS = re.compile(r"[,;|\t\n]")
_JOINERS = re.compile(r"\s*(?:[+&,/_]|\band\b)\s*", re.IGNORECASE)


def tidy(text: str) -> str:
    """Return `text` in Unicode NFC with every run of white space as one blank, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def label_key(label: str) -> str:
    """Return the form in which labels are compared: no case, blank, hyphen or underscore.

    Nor the mark that ends a sentence.

    Examples
    --------
    >>> label_key("Half-asleep") == label_key("half_asleep") == label_key("HALF ASLEEP.")
    True
    """
    return _IGNORED.sub("", unicodedata.normalize("NFKC", label).casefold()).rstrip(SENTENCE_END)


def label_parts(label: str) -> list[str]:
    """Split a joined label: ``"anger, disgust and contempt"`` has three parts, ``"anger"`` one."""
    return [part for part in _JOINERS.split(label) if part.strip()]


def listed_labels(text: str) -> list[str]:
    """Split a text that may be a list of labels at commas, semicolons, bars, tabs and lines.

    Examples
    --------
    >>> listed_labels("joy, fear;anger"), listed_labels("anger and fear")
    (['joy', 'fear', 'anger'], ['anger and fear'])
    """
    return [part for raw in _SEPARATORS.split(text) if (part := tidy(raw))]


def is_caption(label: str) -> bool:
    """Whether a label is a sentence to be used word for word, rather than the name of something."""
    return len(label.split()) >= CAPTION_WORDS


def has_latin_word(text: str) -> bool:
    """Whether a text has a letter of the Latin alphabet, or a digit: anything that English has.

    Examples
    --------
    >>> has_latin_word("d\u00e9j\u00e0 vu"), has_latin_word("\u9ad8\u5174")
    (True, False)
    """
    return any(
        (c.isascii() and c.isalnum())
        or (c.isalpha() and unicodedata.name(c, "").startswith("LATIN "))
        for c in text
    )


def require_unicode(text: str, what: str) -> None:
    """Refuse text with lone surrogates: no file can hold it, and no text tower can read it.

    Raises
    ------
    PromptError
        Naming the text as `what`.
    """
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise PromptError(f"{what} {text!r} holds bytes or halves of characters that are no text")
