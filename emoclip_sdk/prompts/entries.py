"""The entries of a bank, and the index of every wording that means one of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import PromptError
from .labels import label_key, label_parts, require_unicode, tidy
from .limits import MAX_DEPTH, MAX_ENTRIES, MAX_TEXTS_OF_COMPOUND, MAX_WEIGHT

__all__ = [
    "Entry",
    "EntryTable",
    "compound_entry",
    "described_entry",
    "parse_weight",
    "refuse_duplicates",
]


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
    if not 1 / MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise PromptError(
            f"{where}: a weight must be a positive number, not {value!r:.100} "
            f"({1 / MAX_WEIGHT:g} to {MAX_WEIGHT:g})"
        )
    return weight


class EntryTable:
    """Entries by name, in order, and found by any wording.

    :meth:`put` may leave compounds with parts that are still unknown; :meth:`settle` checks them.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._index: dict[str, str] = {}  # comparison key of a name or alias -> name

    def copy(self) -> EntryTable:
        """Return an independent copy."""
        table = EntryTable()
        table.entries, table._index = dict(self.entries), dict(self._index)
        return table

    def find(self, label: str) -> str | None:
        """Return the name of the entry that a label means, or None."""
        name = self._index.get(label_key(label))
        if name is not None:
            return name
        parts = [self._index.get(label_key(part)) for part in label_parts(label)]
        known = sorted(part for part in parts if part is not None)
        if len(known) < 2 or len(known) < len(parts):
            return None
        for entry in self.entries.values():
            # A weighted compound is not what "a and b" says, so only equal weights match.
            equal = len({weight for _, weight in entry.parts}) == 1
            if equal and sorted(part for part, _ in entry.parts) == known:
                return entry.name
        return None

    def put(self, entry: Entry) -> None:
        """Add an entry or replace the one of the same name; the newest owns its wordings.

        A replaced entry's spelling and aliases stay, so that compounds and callers still find it.

        Raises
        ------
        PromptError
            If an alias is the name of another entry, which could then not be reached any more.
        """
        own = label_key(entry.name)
        old = self.entries.get(self._index.get(own, ""))
        if old is not None and label_key(old.name) == own:
            entry = replace(entry, name=old.name, aliases=(*entry.aliases, *old.aliases))
        by_key = {label_key(alias): alias for alias in reversed(entry.aliases)}
        by_key.pop(own, None)
        entry = replace(entry, aliases=tuple(reversed(by_key.values())))
        for key in (own, *by_key):
            owner = self._index.get(key)
            if owner is None or owner == entry.name:
                continue
            if label_key(owner) == key:
                raise PromptError(
                    f"{by_key[key]!r} can't be an alias of {entry.name!r}: it is the name of "
                    "another entry. Use another alias, or replace that entry"
                )
            kept = tuple(a for a in self.entries[owner].aliases if label_key(a) != key)
            self.entries[owner] = replace(self.entries[owner], aliases=kept)
        self.entries[entry.name] = entry
        self._index.update(dict.fromkeys((own, *by_key), entry.name))

    def settle(self) -> None:
        """Point all compounds at entries by name; refuse unknown, repeated and circular parts."""
        searched = 0
        for entry in list(self.entries.values()):
            parts: dict[str, float] = {}
            for label, weight in entry.parts:
                name = self._index.get(label_key(label))
                if name is None:  # all compounds are looked at: not for every part of a huge file
                    searched += 1
                    name = self.find(label) if searched <= MAX_ENTRIES else None
                where = entry.where or f"compound {entry.name!r}"
                if name is None:
                    raise PromptError(f"{where}: unknown part {label!r} of {entry.name!r}")
                if name in parts:
                    raise PromptError(
                        f"{where}: {name!r} is twice a part of {entry.name!r}; use a weight instead"
                    )
                parts[name] = weight
            self.entries[entry.name] = replace(entry, parts=tuple(parts.items()))
        sizes: dict[str, tuple[int, int]] = {}
        for name in self.entries:
            self._measure(name, (), sizes)

    def _measure(
        self, name: str, path: tuple[str, ...], sizes: dict[str, tuple[int, int]]
    ) -> tuple[int, int]:
        """Return how deep an entry is nested and how many texts it has; refuse too much of both."""
        if name in path:
            chain = " -> ".join((*path[path.index(name) :], name))
            raise PromptError(f"A compound can't contain itself: {chain}")
        if name in sizes:
            return sizes[name]
        entry = self.entries[name]
        if len(path) > MAX_DEPTH:
            raise PromptError(
                f"{entry.where or repr(path[0])}: compounds are nested more than {MAX_DEPTH} deep: "
                f"{' -> '.join((*path[:3], '...', name))}"
            )
        parts = [self._measure(part, (*path, name), sizes) for part, _ in entry.parts]
        depth = 1 + max((d for d, _ in parts), default=-1)
        texts = sum(n for _, n in parts) if parts else len(entry.descriptions)
        if depth > MAX_DEPTH or texts > MAX_TEXTS_OF_COMPOUND:
            raise PromptError(
                f"{entry.where or repr(name)}: the compound {name!r} is nested {depth} deep and "
                f"made of {texts} texts; {MAX_DEPTH} and {MAX_TEXTS_OF_COMPOUND} are the most"
            )
        sizes[name] = depth, texts
        return sizes[name]


def refuse_duplicates(entries: Iterable[Entry]) -> None:
    """Refuse a name or alias that occurs twice in the entries of files.

    Raises
    ------
    PromptError
        Naming the wording, both owners and the file and line of each.
    """
    seen: dict[str, Entry] = {}
    for entry in entries:
        for text in (entry.name, *entry.aliases):
            first = seen.setdefault(label_key(text), entry)
            if first is not entry or (
                text != entry.name and label_key(text) == label_key(entry.name)
            ):
                raise PromptError(
                    f"{entry.where}: duplicate name or alias {text!r} of {entry.name!r}; "
                    f"it already belongs to {first.name!r} ({first.where})"
                )
        keys = [label_key(alias) for alias in entry.aliases]
        if len(set(keys)) < len(keys):
            raise PromptError(f"{entry.where}: {entry.name!r} lists an alias twice")


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
        require_unicode(text, f"{what}:")
    return tuple(tidy(text) for text in texts)
