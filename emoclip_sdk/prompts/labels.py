"""What a label is: its comparison key, its spelling in a sentence, and one entry of the bank."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import PromptError

__all__ = [
    "CAPTION_WORDS",
    "Entry",
    "compound_entry",
    "described_entry",
    "is_caption",
    "label_key",
    "label_parts",
    "parse_weight",
    "tidy",
]

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


@dataclass(frozen=True)
class Entry:
    """One entry of the bank: either a described label or a compound.

    Parameters
    ----------
    name : str
        The name under which the entry is listed.
    aliases : tuple of str
        Other wordings that mean this entry.
    descriptions : tuple of str
        What the face does. Empty for a compound.
    parts : tuple of (str, float)
        A compound's components and their positive weights. Empty for a described label.
    custom : bool
        Added by the caller at run time, not read from a file.
    where : str
        File and line it came from, for messages.
    """

    name: str
    aliases: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()
    custom: bool = False
    where: str = field(default="", compare=False)

    @property
    def is_compound(self) -> bool:
        """Whether this entry is made of other entries."""
        return bool(self.parts)


def described_entry(
    name: str, descriptions: str | Sequence[str], aliases: Sequence[str] = ()
) -> Entry:
    """Make the entry of a label that a caller adds; refuse empty text."""
    texts = [descriptions] if isinstance(descriptions, str) else list(descriptions)
    checked = _texts(texts, f"the descriptions of {name!r}")
    if not checked:
        raise PromptError(f"{name!r} needs at least one description")
    return Entry(_name(name), _aliases(aliases, name), descriptions=checked, custom=True)


def compound_entry(
    name: str,
    parts: Sequence[str] | Mapping[str, float],
    weights: Sequence[float] | None = None,
    aliases: Sequence[str] = (),
) -> Entry:
    """Make the entry of a compound that a caller adds; whether its parts exist is not known."""
    where = f"compound {name!r}"
    if isinstance(parts, str):
        raise PromptError(f"{where}: the parts must be a list of labels, not the text {parts!r}")
    if isinstance(parts, Mapping):
        if weights is not None:
            raise PromptError(f"{where}: give the weights in the mapping or beside it, not both")
        weights = list(parts.values())
    labels = _texts(list(parts), f"the parts of {name!r}")
    numbers = [1.0] * len(labels) if weights is None else [parse_weight(w, where) for w in weights]
    if not labels or len(numbers) != len(labels):
        raise PromptError(
            f"{where}: needs parts and one weight for each; "
            f"it has {len(labels)} parts and {len(numbers)} weights"
        )
    weighted = tuple(zip(labels, numbers, strict=True))
    return Entry(_name(name), _aliases(aliases, name), parts=weighted, custom=True, where=where)


def parse_weight(value: Any, where: str) -> float:
    """Return a compound's weight as a float; refuse what is not a positive, finite number."""
    try:
        weight = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise PromptError(f"{where}: a weight must be a positive number, not {value!r}")
    return weight


def _name(name: str) -> str:
    return _texts([name], "a label's name")[0]


def _aliases(aliases: Sequence[str], name: str) -> tuple[str, ...]:
    if isinstance(aliases, str):
        raise PromptError(f"{name!r}: aliases must be a list, not the text {aliases!r}")
    return _texts(list(aliases), f"the aliases of {name!r}")


def _texts(texts: Sequence[str], what: str) -> tuple[str, ...]:
    for text in texts:
        # A name of hyphens only would have an empty key and be every other such name.
        if not isinstance(text, str) or not label_key(text):
            raise PromptError(f"{what} must be text and not empty, not {text!r}")
    return tuple(tidy(text) for text in texts)
