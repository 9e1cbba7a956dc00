"""FER+ as clips of one frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..ferplus import FERPLUS_CLASSES, load_ferplus
from .clips import Clip, ClipDataset
from .rows import SPLITS

__all__ = ["FERPLUS_LAYOUT", "read_ferplus"]

FERPLUS_LAYOUT = "ROOT (ferplus.npz, or a folder that holds it) with the arrays of docs/training.md"


def read_ferplus(root: Path) -> ClipDataset:
    """Read FER+; every picture is a clip of one frame, a view into the array, labeled by majority.

    A clip's id is its split and its number among the pictures that the usual filter leaves.

    Raises
    ------
    DatasetError
        The file can't be read or lacks an array.
    """
    path = root / "ferplus.npz" if root.is_dir() else root
    splits: dict[str, tuple[Clip, ...]] = {}
    for split in SPLITS:
        pictures = load_ferplus(path, split)
        shape = (1, *pictures.images.shape[1:], 3)
        videos = (np.broadcast_to(image[None, ..., None], shape) for image in pictures.images)
        labels = pictures.labels.tolist()
        splits[split] = tuple(
            Clip(f"{split}/{i:05d}", video, label)
            for i, (video, label) in enumerate(zip(videos, labels, strict=True))
        )
    return ClipDataset("ferplus", FERPLUS_CLASSES, splits)
