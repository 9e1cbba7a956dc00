"""Symptom scales: items with their ranges, and totals with the items that they sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...assets import package_file
from ...errors import DatasetError

__all__ = ["Scale", "Score", "read_scales", "shipped_scales"]

_LAYOUT = "NAME: {title, items: {KEY: {title, range: [LOW, HIGH]}}, totals: {KEY: {title, sums}}}"


@dataclass(frozen=True)
class Score:
    """An item of a scale, or a total.

    Attributes
    ----------
    name : str
        The manifest's column.
    title : str
    low, high : float
        Range; that of a total is the sum of its items' ranges.
    sums : tuple of str
        The items that a total sums. Empty for an item.
    """

    name: str
    title: str
    low: float
    high: float
    sums: tuple[str, ...] = ()

    @property
    def divisor(self) -> int:
        """What brings the score into the range of one item: 1, or a total's number of items."""
        return max(len(self.sums), 1)


@dataclass(frozen=True)
class Scale:
    """A scale: its scores are the items first, then the totals."""

    name: str
    title: str
    source: str
    scores: tuple[Score, ...]


def shipped_scales() -> dict[str, Scale]:
    """Return the scales of the package: ``panss`` and ``cains``."""
    return read_scales(package_file(__package__, "scales.yaml"))


def read_scales(path: str | Path) -> dict[str, Scale]:
    """Read a file of scales.

    Raises
    ------
    DatasetError
        The file can't be read or a scale makes no sense; the message names file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        # The composed nodes know the lines that a complaint names.
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file. Expected: {_LAYOUT}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        what = getattr(error, "problem", None) or error
        raise DatasetError(f"{where}: can't be read as YAML ({what})") from error
    reader = _Reader(path, tree)
    if not isinstance(content, dict) or not content:
        raise reader.error((), f"holds no scale. Expected: {_LAYOUT}")
    return {str(name): reader.scale(str(name), entry) for name, entry in content.items()}


class _Reader:
    def __init__(self, path: Path, tree: Any) -> None:
        self.path = path
        self.tree = tree

    def error(self, keys: tuple[str, ...], what: str) -> DatasetError:
        """Return an error that names the line of the innermost of `keys` that is there."""
        node, line = self.tree, 1
        for key in keys:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            matches = [(k, v) for k, v in pairs if str(k.value) == key]
            if not matches:
                break
            line, node = matches[0][0].start_mark.line + 1, matches[0][1]
        return DatasetError(f"{self.path}:{line}: {'.'.join(keys) or 'the file'} {what}")

    def scale(self, name: str, entry: Any) -> Scale:
        fields = self._mapping((name,), entry, {"title", "source", "items", "totals"})
        items = fields.get("items")
        if not isinstance(items, dict) or not items:
            raise self.error((name,), "has no items: {KEY: {title, range: [LOW, HIGH]}}")
        scores = {str(key): self._item(name, str(key), value) for key, value in items.items()}
        totals = fields.get("totals") or {}
        if not isinstance(totals, dict):
            raise self.error((name, "totals"), "must be {KEY: {title, sums: [ITEM, ...]}}")
        totals_of = [self._total(name, str(key), value, scores) for key, value in totals.items()]
        return Scale(
            name,
            str(fields.get("title") or name),
            str(fields.get("source") or ""),
            (*scores.values(), *totals_of),
        )

    def _item(self, scale: str, key: str, entry: Any) -> Score:
        keys = (scale, "items", key)
        fields = self._mapping(keys, entry, {"title", "range"})
        limits = fields.get("range")
        if not (
            isinstance(limits, list)
            and len(limits) == 2
            and all(isinstance(x, int | float) and math.isfinite(x) for x in limits)
            and limits[0] < limits[1]
        ):
            raise self.error(keys, f"needs a range [LOW, HIGH], LOW below HIGH; found {limits!r}")
        return Score(key, str(fields.get("title") or key), float(limits[0]), float(limits[1]))

    def _total(self, scale: str, key: str, entry: Any, items: Mapping[str, Score]) -> Score:
        keys = (scale, "totals", key)
        fields = self._mapping(keys, entry, {"title", "sums"})
        sums = fields.get("sums")
        if key in items:
            raise self.error(keys, "is an item, too: give the total another name")
        if not isinstance(sums, list) or not sums or len(set(map(str, sums))) != len(sums):
            raise self.error(keys, f"needs sums: a list of different items; found {sums!r}")
        unknown = [str(item) for item in sums if str(item) not in items]
        if unknown:
            raise self.error(
                keys, f"sums {', '.join(unknown)}, which is no item of {scale}: {', '.join(items)}"
            )
        summed = [items[str(item)] for item in sums]
        return Score(
            key,
            str(fields.get("title") or key),
            sum(item.low for item in summed),
            sum(item.high for item in summed),
            tuple(item.name for item in summed),
        )

    def _mapping(self, keys: tuple[str, ...], entry: Any, known: set[str]) -> dict[str, Any]:
        if not isinstance(entry, dict):
            raise self.error(keys, f"must be a mapping of {', '.join(sorted(known))}")
        unknown = sorted(str(key) for key in entry if key not in known)
        if unknown:
            raise self.error(
                (*keys, unknown[0]), f"is unknown. There are: {', '.join(sorted(known))}"
            )
        return entry
