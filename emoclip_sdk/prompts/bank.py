"""The prompt bank: which texts stand for a label."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import PromptError
from .entries import Entry, EntryTable, compound_entry, described_entry, refuse_duplicates
from .files import PromptFile, dump_entries, read_prompt_file, shipped_files
from .labels import label_key

__all__ = ["PromptBank"]


class PromptBank:
    """Descriptions, compounds and templates, looked up by any wording of a label.

    Every bank is independent: what one model adds is not seen by another. Start from
    :meth:`default` or :meth:`from_yaml`; ``PromptBank()`` has no entries and the shipped templates.

    Attributes
    ----------
    version : str
        Version of the content as its files state it. The hash, not the version, identifies a bank.
    provenance : list of dict
        Per file: the question asked, what wrote the answers, when, and what curation removed.
    name_share : float
        How much of the embedding of a shipped label is its name, put into the templates; its
        descriptions have the rest. What a model's configuration says (``prompts.name_share``), so
        it is neither in files nor in the hash. 0: descriptions alone, as in the paper.

    Examples
    --------
    >>> bank = PromptBank.default()
    >>> bank.resolve("Happily surprised"), bank.resolve("DISGUST & ANGER")
    ('happiness_surprise', 'anger_disgust')
    """

    def __init__(self) -> None:
        self.version = "0"
        self.provenance: list[dict[str, Any]] = []
        self.name_share = 0.0
        self._table = EntryTable()
        # None: not stated by any file, so the shipped ones are used.
        self._templates: tuple[str, ...] | None = None
        self._neutral: tuple[str, ...] | None = None
        self._hash: str | None = None

    # Where a bank comes from

    @classmethod
    def default(cls) -> PromptBank:
        """Return a fresh copy of the shipped bank."""
        return _shipped().copy()

    @classmethod
    def from_yaml(cls, *paths: str | Path, base: PromptBank | None = None) -> PromptBank:
        """Read one bank from one or more files.

        Parameters
        ----------
        *paths : str or Path
            Files in our format (``emotions``, ``compounds``, ``templates``, ...), or plain mappings
            ``name: sentence`` or ``name: [sentences]``. A compound's parts may be in any of them.
        base : PromptBank, optional
            Start from a copy of this bank; the files' entries override it. Without a base, the bank
            has the files' entries only. Templates and neutral sentences that no file has are the
            base's or the shipped ones.

        Raises
        ------
        PromptError
            For a malformed file, a name or alias that occurs twice in the files, or a compound
            with unknown or circular parts. The message names the file and the line.
        """
        if not paths:
            raise PromptError("from_yaml needs the path of at least one prompt file")
        files = [read_prompt_file(path) for path in paths]
        refuse_duplicates([entry for file in files for entry in file.entries])
        bank = base.copy() if base is not None else PromptBank()
        for file in files:
            bank._add_file(file)
        bank.version = _joined([bank.version, *(file.version for file in files)])
        bank._table.settle()
        bank._hash = None
        return bank

    def copy(self) -> PromptBank:
        """Return an independent copy."""
        bank = PromptBank()
        bank.version, bank._hash = self.version, self._hash
        bank.name_share = self.name_share
        bank.provenance = [dict(record) for record in self.provenance]
        bank._table = self._table.copy()
        bank._templates, bank._neutral = self._templates, self._neutral
        return bank

    def merged(self, other: PromptBank) -> PromptBank:
        """Return a new bank with the entries of both; where both have one, `other` wins."""
        bank = self.copy()
        for entry in other._table.entries.values():
            bank._table.put(entry)
        bank._table.settle()
        bank._templates = self._templates if other._templates is None else other._templates
        bank._neutral = self._neutral if other._neutral is None else other._neutral
        bank.provenance += [dict(r) for r in other.provenance if r not in self.provenance]
        bank.version = _joined([self.version, other.version])
        bank._hash = None
        return bank

    # Reading

    def names(self) -> list[str]:
        """Return the labels that have descriptions, in order. Compounds are in `compounds`."""
        return [name for name, entry in self._table.entries.items() if not entry.is_compound]

    def wordings(self) -> dict[str, str]:
        """Return every name and alias, and the name of the entry that it means."""
        return {
            text: entry.name
            for entry in self._table.entries.values()
            for text in (entry.name, *entry.aliases)
        }

    def has_wording(self, label: str) -> bool:
        """Whether a label is an entry's name or alias, not merely made of several of them."""
        key = label_key(label)
        return any(label_key(text) == key for text in self.wordings())

    def __contains__(self, label: object) -> bool:
        """Whether a label, in any wording, is a described label or a compound of this bank."""
        return isinstance(label, str) and self.resolve(label) is not None

    def __len__(self) -> int:
        """Return the number of described labels and compounds."""
        return len(self._table.entries)

    def __repr__(self) -> str:
        """Return the numbers of labels and compounds, and the hash."""
        compounds = len(self.compounds)
        labels = len(self) - compounds
        return f"PromptBank({labels} labels, {compounds} compounds, hash={self.hash!r})"

    def resolve(self, label: str) -> str | None:
        """Return the name of the entry that a label means, or None.

        Case, blanks, hyphens and underscores don't matter. Parts joined by ``and``, ``+``, ``&``,
        ``/``, ``,`` or ``_`` find the compound of just these parts in equal weights, in any order.
        """
        return self._table.find(label)

    def descriptions(self, name: str) -> tuple[str, ...]:
        """Return the descriptions of a label, in any wording.

        Raises
        ------
        PromptError
            If the bank does not know the label, or knows it as a compound.
        """
        entry = self._entry(name)
        if entry.is_compound:
            parts = ", ".join(part for part, _ in entry.parts)
            raise PromptError(
                f"{entry.name!r} is a compound of {parts}: it has no descriptions of its own"
            )
        return entry.descriptions

    def aliases(self, name: str) -> tuple[str, ...]:
        """Return the other wordings of a label or compound."""
        return self._entry(name).aliases

    def is_custom(self, name: str) -> bool:
        """Whether an entry was added at run time by `add_label` or `add_compound`."""
        return self._entry(name).custom

    def is_shipped(self, name: str) -> bool:
        """Whether an entry's descriptions are those of the shipped bank, and nobody else's."""
        entry = self._entry(name)
        shipped = _shipped()._table.entries.get(entry.name)
        return shipped is not None and shipped.descriptions == entry.descriptions

    @property
    def compounds(self) -> dict[str, tuple[tuple[str, float], ...]]:
        """Name of each compound, and its components with their weights as given."""
        entries = self._table.entries
        return {name: entry.parts for name, entry in entries.items() if entry.is_compound}

    @property
    def templates(self) -> tuple[str, ...]:
        """Sentences with ``{label}`` for labels that the bank does not know."""
        return _shipped().templates if self._templates is None else self._templates

    @property
    def neutral_sentences(self) -> tuple[str, ...]:
        """Captions that training draws from for neutral clips."""
        return _shipped().neutral_sentences if self._neutral is None else self._neutral

    @property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of all that can change an embedding.

        Covers entries, aliases, templates and neutral sentences; not the order of the entries, nor
        provenance and version. For one model, equal hash means equal texts for every label.
        """
        if self._hash is None:
            entries = self._table.entries.values()
            content = {
                "entries": {e.name: [sorted(e.aliases), e.descriptions, e.parts] for e in entries},
                "templates": self.templates,
                "neutral_sentences": self.neutral_sentences,
            }
            text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            self._hash = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self._hash

    # Changing

    def add_label(
        self, name: str, descriptions: str | Sequence[str], *, aliases: Sequence[str] = ()
    ) -> None:
        """Add a described label, or give a known one new descriptions.

        A known label keeps its aliases. A name or alias that was another entry's alias means this
        label from now on.

        Raises
        ------
        PromptError
            For an empty name or description, or an alias that is another entry's name. The bank is
            then unchanged.
        """
        self._change(described_entry(name, descriptions, aliases))

    def add_compound(
        self,
        name: str,
        parts: Sequence[str] | Mapping[str, float],
        weights: Sequence[float] | None = None,
        *,
        aliases: Sequence[str] = (),
    ) -> None:
        """Add a compound: the mean of its parts' text embeddings, before normalization (eq. 2).

        Parameters
        ----------
        name : str
            Its name; a known name is replaced.
        parts : sequence of str, or mapping of str to float
            Known labels or compounds in any wording, or a mapping of them to their weights.
        weights : sequence of float, optional
            One positive weight per part; equal weights if left out. Only their ratio matters.
        aliases : sequence of str
            Other wordings.

        Raises
        ------
        PromptError
            For no parts, an unknown or repeated part, a part that contains the compound itself, or
            wrong weights. The bank is then unchanged.
        """
        self._change(compound_entry(name, parts, weights, aliases))

    # Writing

    def to_yaml(self) -> str:
        """Return the whole bank as the text of one file; reading it gives the same hash.

        Labels added at run time are then ordinary entries: `is_custom` is False for them.
        """
        import yaml

        content = {
            "version": self.version,
            "provenance": self.provenance,
            **dump_entries(self._table.entries.values()),
            "templates": list(self.templates),
            "neutral_sentences": list(self.neutral_sentences),
        }
        return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))

    def save(self, path: str | Path) -> None:
        """Write :meth:`to_yaml` to a file, e.g. ``prompts.yaml`` of a checkpoint folder."""
        Path(path).write_bytes(self.to_yaml().encode("utf-8"))

    # Private

    def _entry(self, label: str) -> Entry:
        name = self.resolve(label)
        if name is None:
            raise PromptError(f"The prompt bank does not know {label!r}; see names()")
        return self._table.entries[name]

    def _change(self, entry: Entry) -> None:
        # Work on a copy, so that a refused change leaves nothing half done.
        table = self._table.copy()
        table.put(entry)
        table.settle()
        self._table, self._hash = table, None

    def _add_file(self, file: PromptFile) -> None:
        for entry in file.entries:
            self._table.put(entry)
        if file.templates is not None:
            self._templates = file.templates
        if file.neutral_sentences is not None:
            self._neutral = file.neutral_sentences
        # A saved bank's records name their files already. A file that says nothing is still named.
        records = [{}] if file.provenance is None else file.provenance
        self.provenance += [{"file": file.path.name, **record} for record in records]


def _joined(versions: Sequence[str | None]) -> str:
    known = [version for version in versions if version and version != "0"]
    return "+".join(dict.fromkeys(known)) or "0"


@lru_cache(maxsize=1)
def _shipped() -> PromptBank:
    return PromptBank.from_yaml(*shipped_files())
