"""A synthetic FER+: gray pictures with ten annotators' votes in one ``.npz`` file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.ferplus import FERPLUS_CLASSES
from .actions import CLASS_ACTIONS
from .clips import PlannedClip, SyntheticOptions, plan_clips
from .layouts import split_of
from .subject import Subject

__all__ = ["write_ferplus"]

_SIZE = 48
_VOTERS = 10


def write_ferplus(
    root: Path, options: SyntheticOptions, people: list[Subject]
) -> list[tuple[str, PlannedClip]]:
    """Write ``ferplus.npz``; return the name of each picture and what it shows."""
    import cv2

    planned = plan_clips(FERPLUS_CLASSES, options)
    rng = np.random.default_rng([options.seed, 4])
    named = [(f"fer{i:07d}.png", clip) for i, clip in enumerate(planned)]
    images = [
        cv2.cvtColor(clip.draw(people[clip.subject], _SIZE, only_apex=True)[0], cv2.COLOR_RGB2GRAY)
        for clip in planned
    ]
    path, part = root / "ferplus.npz", root / "ferplus.part.npz"
    np.savez_compressed(
        part,
        images=np.stack(images),
        votes=np.stack([_votes(clip, rng) for clip in planned]),
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array([split_of(clip, valid=True) for clip in planned]),
        duplicate=np.zeros(len(planned), bool),
        name=np.array([name for name, _ in named]),
    )
    os.replace(part, path)
    return named


def _votes(clip: PlannedClip, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Most annotators see the class, the others one that shows some of the same actions."""
    likeness = [
        sum(CLASS_ACTIONS[name].get(action, 0.0) for action in clip.actions)
        for name in FERPLUS_CLASSES
    ]
    others = np.array([*likeness, 0.1, 0.0]) + 0.02
    right = FERPLUS_CLASSES.index(clip.label)
    others[right] = 0
    shares = rng.uniform(0.05, 0.4) * others / others.sum()
    shares[right] = 1 - shares.sum()
    return np.asarray(rng.multinomial(_VOTERS, shares), np.uint8)
