"""Which split of a dataset a command is about."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ...errors import DatasetError

if TYPE_CHECKING:
    from ..data.datasets import Clip, ClipDataset

__all__ = ["chosen_split"]

log = logging.getLogger(__name__)


def chosen_split(dataset: ClipDataset, split: str | None) -> tuple[str, tuple[Clip, ...]]:
    """Return name and clips of a split, by default of valid where there is one, else test.

    Problems of the dataset are logged.

    Raises
    ------
    DatasetError
        The dataset has no such split.
    """
    if dataset.problems:
        log.warning(
            "%s: %d problems, listed by 'emoclip-train check'", dataset.name, len(dataset.problems)
        )
    available: dict[str, tuple[Clip, ...]] = {
        name: clips for name, clips in dataset.splits.items() if clips
    }
    name = split or ("valid" if "valid" in available else "test")
    if name not in available:
        raise DatasetError(f"{dataset.name} has no split {name}. There are: {', '.join(available)}")
    return name, available[name]
