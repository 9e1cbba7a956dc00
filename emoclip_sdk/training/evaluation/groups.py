"""Figures by attribute of the people seen: age group, gender, skin tone, glasses ..."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ..data.datasets import Clip
from .bootstrap import bootstrap_draws, intervals
from .gaps import group_gap
from .metrics import decide, recalls

__all__ = ["Attributes", "group_figures", "read_attributes"]


@dataclass(frozen=True)
class Attributes:
    """What is known about clips or about the people in them.

    Attributes
    ----------
    path : Path
        The file.
    key : {"clip", "subject"}
        What `rows` is keyed by: :attr:`Clip.id` or :attr:`Clip.subject`.
    names : tuple of str
        The attributes.
    rows : mapping of str to mapping of str to str
        Values by key and attribute; an empty one means that it isn't known.
    """

    path: Path
    key: Literal["clip", "subject"]
    names: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]

    def values(self, name: str, clips: Sequence[Clip]) -> list[str]:
        """Return the value of one attribute for each clip, "" where it isn't known."""
        keys = [clip.id if self.key == "clip" else clip.subject for clip in clips]
        return [self.rows.get(key or "", {}).get(name, "") for key in keys]


def read_attributes(path: str | Path) -> Attributes:
    """Read a CSV file: a column ``clip`` or ``subject``, and one column for each attribute.

    Raises
    ------
    DatasetError
        The file can't be read, has neither or both of the key columns or no attribute, or states
        a key twice.
    """
    path = Path(path)
    rows: dict[str, dict[str, str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            keys = [name for name in ("clip", "subject") if name in columns]
            names = tuple(name for name in columns if name not in keys)
            if len(keys) != 1 or not names:
                raise DatasetError(
                    f"{path}: needs a column 'clip' or 'subject' (one of them) and a column for "
                    f"each attribute; found {columns}"
                )
            for row in reader:
                key = (row[keys[0]] or "").strip()
                if key in rows:
                    raise DatasetError(
                        f"{path}, line {reader.line_num}: {keys[0]} {key!r} was there before"
                    )
                rows[key] = {name: (row[name] or "").strip() for name in names}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: can't be read ({error})") from error
    return Attributes(path, "clip" if keys[0] == "clip" else "subject", names, rows)


def group_figures(
    scores: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    clips: Sequence[Clip],
    classes: Sequence[str],
    attributes: Attributes,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any] | None]]:
    """Compute UAR and WAR of each group, and the gap between the best and the worst.

    Returns
    -------
    groups : dict
        By attribute and value: ``n``, ``classes`` (how many occur in the group: the UARs of two
        groups compare where they are the same), ``uar``, ``war`` and their ``intervals``. Clips
        whose value isn't known are the group ``""``.
    gaps : dict
        By attribute: what :func:`group_gap` returns.

    Raises
    ------
    DatasetError
        No clip is in the file: the keys don't fit.
    """
    columns = [attributes.values(name, clips) for name in attributes.names]
    if not any(value for values in columns for value in values):
        example = next(iter(attributes.rows), "")
        keys = [clip.id if attributes.key == "clip" else clip.subject for clip in clips[:1]]
        raise DatasetError(
            f"{attributes.path}: no evaluated clip is in it. It lists the {attributes.key} "
            f"{example!r}; the dataset has {keys[0]!r}"
        )
    groups: dict[str, dict[str, Any]] = {}
    gaps: dict[str, dict[str, Any] | None] = {}
    hits = decide(scores) == labels
    subjects = [clip.subject for clip in clips]
    for name, values in zip(attributes.names, columns, strict=True):
        gaps[name] = group_gap(hits, labels, values, subjects, draws=draws, seed=seed)
        kinds = np.array(values)
        groups[name] = {}
        for kind in sorted(set(values), key=lambda value: (not value, value)):
            rows = kinds == kind
            figures = recalls(decide(scores[rows]), labels[rows], classes)
            drawn = bootstrap_draws(scores[rows], labels[rows], draws=draws, seed=seed, auc=False)
            groups[name][kind] = {
                "n": figures["n"],
                "classes": len(np.unique(labels[rows])),
                "uar": figures["uar"],
                "war": figures["war"],
                "intervals": intervals({key: drawn[key] for key in ("uar", "war")}),
            }
    return groups, gaps
