"""Prompt files: find the shipped ones, read any, write one.

A file is parsed from the YAML node tree instead of from loaded objects: every complaint can then
name its line, a repeated key is seen instead of silently dropped, and a label such as ``no`` stays
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..assets import asset
from ..errors import PromptError
from .entries import Entry, parse_weight
from .labels import label_key, require_unicode, tidy
from .limits import MAX_BYTES, MAX_ENTRIES, MAX_ITEMS, MAX_LETTERS, MAX_TEXTS

if TYPE_CHECKING:
    import yaml

__all__ = ["LABEL_PLACEHOLDER", "PromptFile", "dump_entries", "read_prompt_file", "shipped_files"]

LABEL_PLACEHOLDER = "{label}"
"""Stands for the label in a template."""

SHIPPED = ("mafw.yaml", "states.yaml", "compounds.yaml", "templates.yaml")
_SECTIONS = ("version", "provenance", "emotions", "compounds", "templates", "neutral_sentences")
_CONTENT_SECTIONS = frozenset(("emotions", "compounds", "templates", "neutral_sentences"))
_NULL = "tag:yaml.org,2002:null"


@dataclass
class PromptFile:
    """The content of one file. None: the file has no such section."""

    path: Path
    version: str | None = None
    provenance: list[dict[str, Any]] | None = None
    entries: list[Entry] = field(default_factory=list)
    templates: tuple[str, ...] | None = None
    neutral_sentences: tuple[str, ...] | None = None


def shipped_files() -> list[Path]:
    """Return the shipped prompt files."""
    folder = asset("prompts")
    missing = [name for name in SHIPPED if not (folder / name).is_file()]
    if missing:
        raise PromptError(
            f"{folder}: {', '.join(missing)} of emoclip_sdk is missing. The installation is "
            "damaged: install the package again (in a git checkout on Windows, with "
            "'git config core.symlinks true')."
        )
    return [folder / name for name in SHIPPED]


def read_prompt_file(path: str | Path) -> PromptFile:
    """Read our own format, or a plain ``name: sentence`` / ``name: [sentences]`` mapping.

    Raises
    ------
    PromptError
        If the file can't be read, is not YAML, or has a wrong shape. The message names the line.
    """
    import yaml

    path = Path(path)
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise PromptError(f"{path}: {size} bytes are too many for a prompt file ({MAX_BYTES})")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: can't be read as UTF-8 text ({error})") from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except RecursionError:
        raise PromptError(f"{path}: not valid YAML for prompts (nested too deep)") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise PromptError(f"{path}{line}: not valid YAML ({problem})") from error
    return _Reader(path).read(root)


def dump_entries(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Return the sections ``emotions`` and ``compounds`` as plain YAML types."""
    sections: dict[str, dict[str, Any]] = {"emotions": {}, "compounds": {}}
    for entry in entries:
        if entry.is_compound:
            equal = all(weight == 1.0 for _, weight in entry.parts)
            parts = [part for part, _ in entry.parts] if equal else dict(entry.parts)
            fields: dict[str, Any] = {"parts": parts}
        else:
            fields = {"descriptions": list(entry.descriptions)}
        if entry.aliases:
            fields["aliases"] = list(entry.aliases)
        sections["compounds" if entry.is_compound else "emotions"][entry.name] = fields
    return sections


class _Reader:
    """Turns the nodes of one file into a `PromptFile`; knows the path for its messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_texts = 0

    def read(self, root: yaml.Node | None) -> PromptFile:
        result = PromptFile(self.path)
        top = dict(self.items(root, "a prompt file"))
        if not top:
            raise PromptError(f"{self.path}: holds no labels")
        if not _CONTENT_SECTIONS & top.keys():
            result.entries = [self.emotion(name, node) for name, node in top.items()]
            return result
        for key in top.keys() - set(_SECTIONS):
            raise self.error(top[key], f"unknown section {key!r}; known are {', '.join(_SECTIONS)}")
        if "version" in top:
            result.version = self.text(top["version"], "version")
        if "provenance" in top:
            result.provenance = self.provenance(top["provenance"])
        if "emotions" in top:
            for name, node in self.items(top["emotions"], "'emotions'"):
                result.entries.append(self.emotion(name, node))
        if "compounds" in top:
            for name, node in self.items(top["compounds"], "'compounds'"):
                result.entries.append(self.compound(name, node))
        if "templates" in top:
            result.templates = self.templates(top["templates"])
        if "neutral_sentences" in top:
            result.neutral_sentences = self.texts(top["neutral_sentences"], "neutral_sentences")
        return result

    def where(self, node: yaml.Node) -> str:
        return f"{self.path}:{node.start_mark.line + 1}"

    def error(self, node: yaml.Node, problem: str) -> PromptError:
        return PromptError(f"{self.where(node)}: {problem}")

    def items(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node]]:
        import yaml

        if node is None:
            raise PromptError(f"{self.path}: the file is empty")
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} must be a mapping (name: value)")
        self.count(node, what, MAX_ENTRIES)
        seen: set[str] = set()
        for key_node, value in node.value:
            key = self.text(key_node, "a name")
            if label_key(key) in seen:
                raise self.error(key_node, f"duplicate key {key!r}")
            seen.add(label_key(key))
            yield key, value

    def text(self, node: yaml.Node, what: str) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            raise self.error(node, f"{what} must be text")
        # A bare `~` or nothing at all is null; the word `null` is as good a text as any.
        value = "" if node.tag == _NULL and node.value in ("", "~") else tidy(str(node.value))
        if not label_key(value):
            raise self.error(node, f"{what} is empty")
        try:
            require_unicode(value, what)
        except PromptError as error:
            raise self.error(node, str(error)) from None
        self.n_texts += 1
        if len(value) > MAX_LETTERS or self.n_texts > MAX_TEXTS:
            raise self.error(
                node,
                f"too much text: {what} has {len(value)} letters, and it is text number "
                f"{self.n_texts} of the file ({MAX_LETTERS} and {MAX_TEXTS} are the most)",
            )
        return value

    def count(self, node: yaml.Node, what: str, most: int = MAX_ITEMS) -> None:
        if len(node.value) > most:
            raise self.error(node, f"{what}: {len(node.value)} are too many, {most} are the most")

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"{what} must be a list")
        self.count(node, what)
        return tuple(self.text(item, f"an item of {what}") for item in node.value)

    def descriptions(self, name: str, node: yaml.Node) -> tuple[str, ...]:
        import yaml

        what = f"the description of {name!r}"
        if isinstance(node, yaml.ScalarNode):
            return (self.text(node, what),)
        texts = self.texts(node, what)
        if not texts:
            raise self.error(node, f"{what} is empty")
        return texts

    def fields(self, name: str, node: yaml.Node, allowed: tuple[str, ...]) -> dict[str, yaml.Node]:
        fields = dict(self.items(node, f"{name!r}"))
        for key, value in fields.items():
            if key not in allowed:
                raise self.error(
                    value, f"{name!r} has an unknown key {key!r}; known are {', '.join(allowed)}"
                )
        if allowed[0] not in fields:
            raise self.error(node, f"{name!r} has no {allowed[0]!r}")
        return fields

    def aliases(self, name: str, fields: dict[str, yaml.Node]) -> tuple[str, ...]:
        if "aliases" not in fields:
            return ()
        return self.texts(fields["aliases"], f"the aliases of {name!r}")

    def emotion(self, name: str, node: yaml.Node) -> Entry:
        import yaml

        where = self.where(node)
        if not isinstance(node, yaml.MappingNode):
            return Entry(name, descriptions=self.descriptions(name, node), where=where)
        fields = self.fields(name, node, ("descriptions", "aliases"))
        descriptions = self.descriptions(name, fields["descriptions"])
        return Entry(name, self.aliases(name, fields), descriptions, where=where)

    def compound(self, name: str, node: yaml.Node) -> Entry:
        import yaml

        where, fields = self.where(node), {"parts": node}
        if isinstance(node, yaml.MappingNode):
            fields = self.fields(name, node, ("parts", "aliases"))
        parts_node, what = fields["parts"], f"the parts of {name!r}"
        if isinstance(parts_node, yaml.MappingNode):
            parts = tuple(
                (part, parse_weight(self.text(value, what), self.where(value)))
                for part, value in self.items(parts_node, what)
            )
        else:
            parts = tuple((part, 1.0) for part in self.texts(parts_node, what))
        if not parts:
            raise self.error(parts_node, f"{what} are empty")
        return Entry(name, self.aliases(name, fields), parts=parts, where=where)

    def templates(self, node: yaml.Node) -> tuple[str, ...]:
        templates = self.texts(node, "templates")
        for text in templates:
            if LABEL_PLACEHOLDER not in text:
                raise self.error(node, f"the template {text!r} has no {LABEL_PLACEHOLDER}")
        return templates

    def provenance(self, node: yaml.Node) -> list[dict[str, Any]]:
        import yaml

        records = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return [
            {key: self.text(value, key) for key, value in self.items(record, "provenance")}
            for record in records
        ]
