"""What a label asks for that a face does not show, by the words of ``prompts/unreadable.yaml``."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from ..assets import asset
from .check import is_form_of
from .labels import tidy

__all__ = ["UnreadPart", "describes_one_action", "listed_words", "unread_parts"]

_FILE = "unreadable.yaml"
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_CLAUSE = re.compile(r"[,;:.!?]|\band\b|\bbut\b|\bwhile\b|\bwith\b", re.IGNORECASE)
_LANGUAGE = "language"
_LONGEST = 3  # words of a phrase in the file
_SHORT = 2  # letters of words that are not looked up in a vocabulary


@dataclass(frozen=True)
class UnreadPart:
    """Words of a label that a model of expressions can't read.

    Attributes
    ----------
    kind : str
        ``"negation"``, ``"age"``, ``"language"``: a key of ``kinds`` in the file.
    words : tuple of str
        As they stand in the label, in lower case.
    reason : str
        Why they can't be read, to follow the words.
    spoils : bool
        Nothing of the label can be read; else the rest of it can.
    """

    kind: str
    words: tuple[str, ...]
    reason: str
    spoils: bool


@dataclass(frozen=True)
class _Kind:
    name: str
    where: Literal["anywhere", "alone"]
    reason: str


@dataclass(frozen=True)
class _Lists:
    kinds: dict[str, _Kind]  # by phrase; the first kind that has it
    filler: frozenset[str]
    face_parts: frozenset[str]
    accented: frozenset[str]
    language: _Kind


@functools.cache
def _lists() -> _Lists:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = asset("prompts").joinpath(_FILE).read_text(encoding="utf-8")
    # Every scalar is a text: "no" would be read as false.
    data = yaml.load(text, Loader=_texts_only(loader))
    kinds: dict[str, _Kind] = {}
    for name, entry in data["kinds"].items():
        kind = _Kind(name, entry["where"], entry["reason"])
        for phrase in entry["words"]:
            kinds.setdefault(tidy(phrase), kind)
    entry = data["kinds"][_LANGUAGE]
    return _Lists(
        kinds,
        frozenset(map(tidy, data["filler"])),
        frozenset(data["face_parts"]),
        frozenset(data["accented"]),
        _Kind(_LANGUAGE, entry["where"], entry["reason"]),
    )


def listed_words() -> dict[str, tuple[str, ...]]:
    """Return the listed words and phrases of each kind."""
    kinds: dict[str, list[str]] = {}
    for phrase, kind in _lists().kinds.items():
        kinds.setdefault(kind.name, []).append(phrase)
    return {name: tuple(phrases) for name, phrases in kinds.items()}


def _texts_only(loader: type) -> type:
    class Texts(loader):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, object] = {}  # noqa: RUF012

    return Texts


_UNKNOWN = _Kind("unknown word", "alone", "no text that the model was trained on holds it")


def unread_parts(label: str, vocabulary: frozenset[str] | None = None) -> list[UnreadPart]:
    """Find what can't be read in a label.

    A label is read in clauses, at commas, "and" and "with". It is spoiled where every clause is:
    by a word that spoils a clause anywhere, or by holding nothing but such words and filler.

    Parameters
    ----------
    label : str
        A word, a phrase or a sentence.
    vocabulary : frozenset of str, optional
        The words that the model knows, in lower case; others can't be read.

    Returns
    -------
    list of UnreadPart
        One for each kind, in the order of the label. Empty: nothing stands against it.

    Examples
    --------
    >>> [(part.kind, part.words, part.spoils) for part in unread_parts("a young woman")]
    [('age', ('young',), True), ('sex and gender', ('woman',), True)]
    >>> [part.spoils for part in unread_parts("a young woman, smiling")]
    [False, False]
    >>> unread_parts("joy")
    []
    """
    lists = _lists()
    words: dict[_Kind, list[str]] = {}
    spoiled = True
    clauses = [clause for clause in _CLAUSE.split(label) if _WORD.search(clause)]
    for clause in clauses:
        matches, rest = _matches(clause, lists, vocabulary)
        for kind, phrase in matches:
            words.setdefault(kind, []).append(phrase)
        anywhere = any(kind.where == "anywhere" for kind, _ in matches)
        spoiled &= bool(anywhere or (matches and not rest))
    return [
        UnreadPart(kind.name, tuple(dict.fromkeys(phrases)), kind.reason, spoiled)
        for kind, phrases in words.items()
    ]


def _matches(
    clause: str, lists: _Lists, vocabulary: frozenset[str] | None
) -> tuple[list[tuple[_Kind, str]], list[str]]:
    """Return the phrases of a clause that are listed, and its other words but for filler."""
    words = [word.replace("\u2019", "'") for word in _WORD.findall(tidy(clause).casefold())]
    matches: list[tuple[_Kind, str]] = []
    rest: list[str] = []
    i = 0
    while i < len(words):
        for n in range(min(_LONGEST, len(words) - i), 0, -1):
            phrase = " ".join(words[i : i + n])
            kind = lists.kinds.get(phrase)
            if kind is None and n == 1 and _is_foreign(phrase, lists):
                kind = lists.language
            if kind is not None:
                matches.append((kind, phrase))
                break
            if phrase in lists.filler:
                break
        else:
            n = 1
            if vocabulary is not None and not _knows(vocabulary, words[i]):
                matches.append((_UNKNOWN, words[i]))
            else:
                rest.append(words[i])
        i += n
    return matches, rest


def _is_foreign(word: str, lists: _Lists) -> bool:
    """Whether a word has a letter that English has not."""
    if word.isascii() or word in lists.accented:
        return False
    return any(c.isalpha() and not c.isascii() for c in unicodedata.normalize("NFC", word))


def _knows(vocabulary: frozenset[str], word: str) -> bool:
    """Whether a vocabulary has a word, or the parts of one with hyphens, in some form."""
    parts = word.removesuffix("'s").split("-")
    return all(len(part) <= _SHORT or is_form_of(part, vocabulary) for part in parts)


def describes_one_action(label: str) -> bool:
    """Whether a label is one clause about one part of the face, as "the eyes are closed" is."""
    clauses = [clause for clause in _CLAUSE.split(label) if _WORD.search(clause)]
    words = _WORD.findall(tidy(label).casefold())
    return len(clauses) == 1 and not _lists().face_parts.isdisjoint(words)
