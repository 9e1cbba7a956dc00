"""Facial actions that the landmark network measured on each picture, for captions of that picture.

A score says little by itself (a heavy brow reads as a lowered one), so what counts is how many of
the pictures at hand show less of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...faces.head_pose import head_pose
from ...nn.blendshapes import BLENDSHAPES
from ...nn.face_landmarks import LANDMARKS
from ...prompts.facial_actions import ASYMMETRIES, MEASURED, MOVEMENTS

__all__ = ["CAPTION_ACTIONS", "FacialActions", "facial_actions"]

# What sounds like an emotion is left to the captions from votes: a sad face may be at rest, too.
_EMOTIONAL = ("face_relaxed", "glare", "scream")

CAPTION_ACTIONS: dict[str, tuple[str, ...]] = {
    **{name: parts for name, parts in MEASURED.items() if name not in _EMOTIONAL},
    "eyes_open": ("-blink",),
    "eyes_ahead": ("-gaze aside", "-look down", "-look up"),
    "head_turned": ("turn",),
    "head_ahead": ("-turn",),
    "head_down": ("-lift",),
    "head_up": ("lift",),
    "lower_lip_down": ("lower lip",),
    "no_smile": ("-corners up",),
    "mouth_open": ("jaw",),
    "mouth_closed": ("-jaw", "-lower lip"),
}
"""Actions that captions speak of, and the movements of which the weakest counts; ``-``: its
absence. Beside those of faces the turn of the head to either side and its lift."""

_SHARES: dict[str, float] = {
    "brows_relaxed": 0.35, "one_brow_up": 0.12, "eyes_closed": 0.06, "eyes_open": 0.6,
    "eyes_up": 0.2, "eyes_ahead": 0.4, "head_turned": 0.2, "head_ahead": 0.4, "head_down": 0.12,
    "head_up": 0.12, "no_smile": 0.55, "smirk": 0.15, "corners_down": 0.15, "chin_up": 0.15,
    "lips_pursed": 0.12, "lips_tight": 0.2, "teeth_bared": 0.15, "jaw_drop": 0.12,
    "mouth_closed": 0.5,
}  # fmt: skip
"""Share of pictures of which a caption may say so; of the other actions `_SHARE`."""
_SHARE, _SOFTNESS = 0.25, 0.06

# Landmarks of shape features are in distances between the eyes, which are this far apart.
_EYES_CM = 6.3


@dataclass(frozen=True)
class FacialActions:
    """What each of N pictures shows.

    Attributes
    ----------
    names : tuple of str
        A actions, keys of `CAPTION_ACTIONS`.
    presence : ndarray of float32, (N, A)
        How surely an action is among the strongest of all pictures, in [0, 1]; 0 where no face was
        found.
    """

    names: tuple[str, ...]
    presence: NDArray[np.float32]


def facial_actions(shapes: Tensor) -> FacialActions:
    """Say which facial actions each picture shows, compared to the others.

    Parameters
    ----------
    shapes : Tensor, (N, F)
        :func:`~emoclip_sdk.nn.shape.shape_features`; NaN where there is no face.
    """
    features = shapes.float().cpu().numpy()
    has_face = np.isfinite(features[:, 0])
    presence = np.zeros((len(features), len(CAPTION_ACTIONS)), np.float32)
    if not has_face.any():
        return FacialActions(tuple(CAPTION_ACTIONS), presence)
    movements = {name: _ranks(values) for name, values in _movements(features[has_face]).items()}

    def degree(part: str) -> NDArray[np.float64]:
        return 1 - movements[part[1:]] if part.startswith("-") else movements[part]

    for column, (name, parts) in enumerate(CAPTION_ACTIONS.items()):
        strength = _ranks(np.min([degree(part) for part in parts], axis=0))
        share = _SHARES.get(name, _SHARE)
        softness = _SOFTNESS * min(1.0, share / _SHARE)
        presence[has_face, column] = 1 / (1 + np.exp((1 - share - strength) / softness))
    return FacialActions(tuple(CAPTION_ACTIONS), presence)


def _movements(features: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    landmarks, blendshapes = np.split(features, [3 * LANDMARKS], axis=1)
    score = {name: blendshapes[:, i] for i, name in enumerate(BLENDSHAPES)}
    movements = {
        name: np.mean([score[part] for part in parts], axis=0) for name, parts in MOVEMENTS.items()
    }
    for name, pairs in ASYMMETRIES.items():
        movements[name] = np.mean([np.abs(score[a] - score[b]) for a, b in pairs], axis=0)
    pose = head_pose(landmarks.reshape(-1, LANDMARKS, 3).astype(np.float64) * _EYES_CM)
    return {**movements, "turn": np.abs(pose.yaw), "lift": pose.pitch}


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of pictures that show less."""
    return np.searchsorted(np.sort(values), values) / len(values)
