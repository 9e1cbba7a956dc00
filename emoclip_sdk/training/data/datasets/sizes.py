"""Published sizes of the datasets, and how a dataset on disk compares with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from ....assets import package_file
from .clips import Clip, ClipDataset, Problem

__all__ = ["PublishedSizes", "class_counts", "compare_sizes", "published_sizes"]

_SHOWN = 4


@dataclass(frozen=True)
class PublishedSizes:
    """How many clips one fold of a dataset should have.

    Attributes
    ----------
    source : str
        Where the figures are from.
    splits : mapping of str to tuple of int, or int
        Per split, or for ``all`` splits together: clips per class in the dataset's order, or their
        total where no more is known.
    no_caption : int, optional
        The class whose clips have no caption, while those of all others have one. None: there are
        no captions, or nothing is published about them.
    """

    source: str
    splits: Mapping[str, tuple[int, ...] | int]
    no_caption: int | None = None

    def total(self, split: str) -> int | None:
        """Return the number of clips of a split, where known."""
        counts = self.splits.get(split)
        return sum(counts) if isinstance(counts, tuple) else counts

    def of_class(self, split: str, label: int) -> int | None:
        """Return the number of a class's clips in a split, where known."""
        counts = self.splits.get(split)
        return counts[label] if isinstance(counts, tuple) else None

    def captions(self, split: str) -> int | None:
        """Return the number of captions in a split, where known."""
        total = self.total(split)
        if total is None or self.no_caption is None:
            return None
        without = self.of_class(split, self.no_caption)
        return None if without is None else total - without


def published_sizes(name: str, fold: int = 1, task: str = "single") -> PublishedSizes | None:
    """Return the published sizes of a fold, or None where there are none."""
    entry = _file().get(name, {}).get(task)
    if entry is None:
        return None
    splits = dict(entry.get("folds", {}).get(fold, {}))
    if "all" in entry:
        splits["all"] = entry["all"]
    figures = {key: tuple(v) if isinstance(v, list) else v for key, v in splits.items()}
    return PublishedSizes(entry["source"], figures, entry.get("no_caption"))


def class_counts(clips: tuple[Clip, ...], n_classes: int) -> list[int]:
    """Return the number of clips of each class; clips without a label count nowhere."""
    counts = [0] * n_classes
    for clip in clips:
        if clip.label is not None:
            counts[clip.label] += 1
    return counts


def compare_sizes(dataset: ClipDataset, sizes: PublishedSizes, where: str) -> list[Problem]:
    """Return one problem per split that has other numbers of clips than published."""
    problems = []
    parts = {**dataset.splits, "all": tuple(c for s in dataset.splits.values() for c in s)}
    for split, clips in parts.items():
        published = sizes.total(split)
        if published is None:
            continue
        counts = class_counts(clips, len(dataset.classes))
        expected = [sizes.of_class(split, label) for label in range(len(dataset.classes))]
        off = [
            f"{name} {count} of {target}"
            for name, count, target in zip(dataset.classes, counts, expected, strict=True)
            if target is not None and count != target
        ]
        captions = sum(clip.caption is not None for clip in clips)
        # None at all: the lists without captions, of which the reader tells.
        if captions and sizes.captions(split) not in (None, captions):
            off.insert(0, f"captions {captions} of {sizes.captions(split)}")
        # Where the splits are known one by one, their sum says nothing new.
        if (len(clips) == published and not off) or (split == "all" and len(sizes.splits) > 1):
            continue
        more = f", and {len(off) - _SHOWN} other classes" if len(off) > _SHOWN else ""
        detail = f": {', '.join(off[:_SHOWN])}{more}" if off else ""
        what = f"{len(clips)} clips, published {published}{detail}"
        problems.append(Problem("unexpected count", f"{where}, {split}", what))
    return problems


@cache
def _file() -> dict[str, Any]:
    text = package_file(__package__, "sizes.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))
