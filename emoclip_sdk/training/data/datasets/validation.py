"""A validation split cut from training."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter

from ....errors import DatasetError
from .clips import Clip, ClipDataset

__all__ = ["with_validation"]


def with_validation(dataset: ClipDataset, share: float, seed: int) -> ClipDataset:
    """Cut a validation split from the training split, unless the data define one.

    Clips of a subject stay together, and each class gives its share as nearly as that allows, at
    least one clip if it has two. Which clips are taken depends on their ids and subjects and on the
    seed, not on the order of the list.

    Parameters
    ----------
    dataset : ClipDataset
        A dataset that has a non-empty `valid` is returned as it is.
    share : float
        Of the training clips, between 0 and 1.
    seed : int

    Raises
    ------
    DatasetError
        `share` is out of range, or nothing could be cut off or left: a single subject, say.
    """
    if dataset.splits.get("valid"):
        return dataset
    if not 0 < share < 1:
        raise DatasetError(f"the share of the validation split must be in (0, 1), not {share}")
    train = dataset.splits.get("train", ())
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in train:
        key = ("clip", clip.id) if clip.subject is None else ("subject", clip.subject)
        groups.setdefault(key, []).append(clip)
    chosen = _choose(groups, share, seed)
    valid = tuple(clip for clip in train if clip.id in chosen)
    rest = tuple(clip for clip in train if clip.id not in chosen)
    if not valid or not rest:
        raise DatasetError(
            f"{dataset.name}: no validation split of {share:g} can be cut from {len(train)} "
            f"training clips of {len(groups)} subjects. Give one by hand or use more clips"
        )
    splits: dict[str, tuple[Clip, ...]] = {**dataset.splits, "train": rest, "valid": valid}
    return dataclasses.replace(dataset, splits=splits)


def _choose(groups: dict[tuple[str, str], list[Clip]], share: float, seed: int) -> set[str]:
    """Take groups in a shuffled order while they bring the classes nearer to their shares."""
    left = Counter(clip.label for clips in groups.values() for clip in clips)
    targets = {label: max(share * n, float(n > 1)) for label, n in left.items()}
    selected: Counter[int | None] = Counter()
    chosen: set[str] = set()
    # A hash instead of a generator: the order of a group doesn't depend on the others.
    shuffled = sorted(
        groups, key=lambda key: hashlib.sha256(repr((seed, *key)).encode()).hexdigest()
    )
    counted = {key: Counter(clip.label for clip in groups[key]) for key in shuffled}
    for key, counts in counted.items():
        nearer = sum(
            (targets[label] - selected[label]) ** 2 - (targets[label] - selected[label] - n) ** 2
            for label, n in counts.items()
        )
        if nearer > 0 and all(left[label] > n for label, n in counts.items()):
            selected += counts
            left -= counts
            chosen.update(clip.id for clip in groups[key])
    if not chosen:  # few subjects, each of them more than the share: the smallest one
        spare = (k for k, n in counted.items() if all(left[label] > n[label] for label in n))
        smallest = min(spare, key=lambda key: len(groups[key]), default=None)
        if smallest is not None:
            chosen.update(clip.id for clip in groups[smallest])
    return chosen
