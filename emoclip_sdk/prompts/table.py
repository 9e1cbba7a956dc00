"""The entries of a bank and the index of every wording that means one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..errors import PromptError
from .labels import Entry, label_key, label_parts

__all__ = ["EntryTable", "refuse_duplicates"]


class EntryTable:
    """Entries by name, in order, and found by any wording.

    :meth:`put` may leave compounds with parts that are not there yet; :meth:`settle` checks them.
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
        for entry in list(self.entries.values()):
            parts: dict[str, float] = {}
            for label, weight in entry.parts:
                name = self.find(label)
                where = entry.where or f"compound {entry.name!r}"
                if name is None:
                    raise PromptError(f"{where}: unknown part {label!r} of {entry.name!r}")
                if name in parts:
                    raise PromptError(
                        f"{where}: {name!r} is twice a part of {entry.name!r}; use a weight instead"
                    )
                parts[name] = weight
            self.entries[entry.name] = replace(entry, parts=tuple(parts.items()))
        done: set[str] = set()
        for name in self.entries:
            self._refuse_cycle(name, (), done)

    def _refuse_cycle(self, name: str, path: tuple[str, ...], done: set[str]) -> None:
        if name in path:
            chain = " -> ".join((*path[path.index(name) :], name))
            raise PromptError(f"A compound can't contain itself: {chain}")
        if name not in done:
            for part, _ in self.entries[name].parts:
                self._refuse_cycle(part, (*path, name), done)
            done.add(name)


def refuse_duplicates(entries: Iterable[Entry]) -> None:
    """Refuse a name or alias that occurs twice in what was read.

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
