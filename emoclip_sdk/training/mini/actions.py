"""Facial actions that a landmark model measured on each picture, for captions of that picture.

``tools/measure_actions.py`` writes the measurements: MediaPipe's 52 blendshape scores, which follow
Apple's ARKit names. A score says little by itself (a heavy brow reads as a lowered one), so what
counts is how many of the pictures at hand show less of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ...prompts.facial_actions import ASYMMETRIES, MEASURED, MOVEMENTS

__all__ = ["FacialActions", "load_actions", "picture_keys"]

_PARTS = {part for parts in MOVEMENTS.values() for part in parts} | {
    part for pairs in ASYMMETRIES.values() for pair in pairs for part in pair
}

# Of pictures in which an action is stronger than in this share of all, a caption may speak.
_SHOWN, _SOFTNESS = 0.75, 0.06


@dataclass(frozen=True)
class FacialActions:
    """What each of N pictures shows.

    Attributes
    ----------
    names : tuple of str
        A actions, keys of `MEASURED`.
    presence : ndarray of float32, (N, A)
        How surely an action is among the strongest quarter, in [0, 1]; 0 where no face was found.
    """

    names: tuple[str, ...]
    presence: NDArray[np.float32]


def load_actions(path: str | Path, pictures: NDArray[np.uint8]) -> FacialActions:
    """Read what ``tools/measure_actions.py`` wrote, for these pictures.

    Parameters
    ----------
    path : str or Path
    pictures : ndarray of uint8, (N, S, S)
        Found by their content; it is among them that an action is strong or weak.

    Raises
    ------
    DatasetError
        The file can't be read, or was measured on other pictures.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            keys, scores = file["pictures"], file["scores"].astype(np.float32)
            names, has_face = file["names"].astype(str).tolist(), file["found"]
            column = {part: names.index(part) for part in _PARTS}
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file; tools/measure_actions.py writes it") from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DatasetError(f"{path}: not a file of measured actions ({error})") from error
    row = {int(key): i for i, key in enumerate(keys)}
    rows = np.array([row.get(key, -1) for key in picture_keys(pictures)])
    if missing := int((rows < 0).sum()):
        raise DatasetError(f"{path}: {missing} of {len(rows)} pictures were not measured")
    scores, has_face = scores[rows], has_face[rows]

    def ranks(values: NDArray[np.float32]) -> NDArray[np.float32]:
        ordered = np.sort(values[has_face])
        return (np.searchsorted(ordered, values) / max(len(ordered), 1)).astype(np.float32)

    movements = {
        name: ranks(scores[:, [column[part] for part in parts]].mean(axis=1))
        for name, parts in MOVEMENTS.items()
    }
    for name, pairs in ASYMMETRIES.items():
        differences = [np.abs(scores[:, column[a]] - scores[:, column[b]]) for a, b in pairs]
        movements[name] = ranks(np.mean(differences, axis=0))

    def degree(part: str) -> NDArray[np.float32]:
        return 1 - movements[part[1:]] if part.startswith("-") else movements[part]

    strength = np.stack(
        [ranks(np.min([degree(p) for p in parts], axis=0)) for parts in MEASURED.values()], axis=1
    )
    presence = has_face[:, None] / (1 + np.exp((_SHOWN - strength) / _SOFTNESS))
    return FacialActions(tuple(MEASURED), presence.astype(np.float32))


def picture_keys(pictures: NDArray[np.uint8]) -> list[int]:
    """Return a number for each picture's content, as ``tools/measure_actions.py`` does."""
    return [
        int.from_bytes(hashlib.sha256(p.tobytes()).digest()[:8], "little", signed=True)
        for p in pictures
    ]
