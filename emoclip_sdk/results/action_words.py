"""Facial actions in words: what a face does, and what changes, from means of blendshapes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..prompts.facial_actions import ACTIONS, ASYMMETRIES, MEASURED, MOVEMENTS

__all__ = ["ACTION_THRESHOLDS", "AT_REST", "describe_actions", "describe_changes"]

ACTION_THRESHOLDS: dict[str, tuple[float, float]] = {
    "inner brow": (0.35, 0.20),
    "outer brow": (0.40, 0.20),
    "brow down": (0.60, 0.20),
    "lid up": (0.10, 0.08),
    "squint": (0.50, 0.20),
    "blink": (0.50, 0.30),
    "look down": (0.40, 0.25),
    "look up": (0.35, 0.25),
    "upper lip": (0.15, 0.12),
    "lower lip": (0.15, 0.12),
    "corners up": (0.30, 0.15),
    "corners down": (0.10, 0.08),
    "shrug": (0.45, 0.25),
    "pucker": (0.50, 0.30),
    "stretch": (0.15, 0.12),
    "press": (0.25, 0.15),
    "jaw": (0.30, 0.25),
    "jaw ajar": (0.10, 0.08),
    "uneven brows": (0.35, 0.25),
    "uneven mouth": (0.15, 0.12),
    "gaze aside": (0.40, 0.30),
}
"""Of each movement: the mean score from which on it is named, and the change against a baseline.
Each score is above that of 95 in 100 neutral portraits (Face Research Lab London Set: 50 people),
which differ by the shape of their faces; a change needs about half."""

AT_REST = ACTIONS["face_relaxed"][0]
"""What is said where nothing stands out."""

# In the order in which they are named. What is named leaves out what it includes.
_INCLUDES: dict[str, tuple[str, ...]] = {
    "brows_up": ("inner_brows_up",),
    "inner_brows_up": (),
    "brows_down": (),
    "one_brow_up": (),
    "eyes_wide": (),
    "cheeks_up": ("eyes_narrow",),
    "eyes_narrow": (),
    "eyes_closed": ("eyes_narrow", "eyes_down"),
    "eyes_down": (),
    "eyes_up": (),
    "eyes_sideways": (),
    "grin": ("smile", "upper_lip_up", "smirk"),
    "smile": ("smirk",),
    "smirk": (),
    "teeth_bared": ("upper_lip_up",),
    "upper_lip_up": (),
    "corners_down": (),
    "chin_up": (),
    "lips_pursed": (),
    "lips_stretched": (),
    "lips_tight": (),
    "jaw_drop": ("lips_parted",),
    "lips_parted": (),
}
_MEASURED = {**MEASURED, "lips_parted": ("jaw ajar",)}


def describe_actions(
    means: Mapping[str, float], baseline: Mapping[str, float] | None = None
) -> str:
    """Say what a face does, in the words of the captions that the model learned from.

    Parameters
    ----------
    means : mapping of str to float
        Blendshapes by their ARKit names, as in :class:`TimelineRow`; NaN where there is no face.
    baseline : mapping of str to float, optional
        Those of the person's neutral face. With them, what counts is the change.

    Returns
    -------
    str
        ``"raised eyebrows, a dropped jaw"``; `AT_REST` where nothing stands out; nothing without a
        face. An action is named where all its movements reach their `ACTION_THRESHOLDS`.

    Examples
    --------
    >>> smile = {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.8}
    >>> describe_actions(smile)
    'lip corners pulled up'
    >>> describe_actions(smile, baseline=smile)
    'facial muscles at rest'
    """
    if any(math.isnan(value) for value in means.values()):
        return ""
    return ", ".join(_named(means, baseline)) or AT_REST


def describe_changes(means: Mapping[str, float], rest: Mapping[str, float]) -> str:
    """Say which actions are stronger and which are weaker than in `rest`.

    Parameters and words as in :func:`describe_actions`.

    Returns
    -------
    str
        ``"more: raised eyebrows; less: lip corners pulled up"``; nothing where neither is the case,
        or where a face is missing.
    """
    if any(math.isnan(value) for value in (*means.values(), *rest.values())):
        return ""
    parts = {"more": _named(means, rest), "less": _named(rest, means)}
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts.items() if names)


def _named(means: Mapping[str, float], baseline: Mapping[str, float] | None) -> list[str]:
    levels = _movements(means)
    if baseline is not None:
        before = _movements(baseline)
        levels = {name: level - before[name] for name, level in levels.items()}
    reached = {
        name
        for name, level in levels.items()
        if level >= ACTION_THRESHOLDS[name][baseline is not None]
    }

    def is_shown(action: str) -> bool:
        return all(
            part[1:] not in reached if part.startswith("-") else part in reached
            for part in _MEASURED[action]
        )

    shown = [action for action in _INCLUDES if is_shown(action)]
    included = {other for action in shown for other in _INCLUDES[action]}
    return [ACTIONS[action][0] for action in shown if action not in included]


def _movements(scores: Mapping[str, float]) -> dict[str, float]:
    levels = {
        name: sum(scores.get(part, 0.0) for part in parts) / len(parts)
        for name, parts in MOVEMENTS.items()
    }
    for name, pairs in ASYMMETRIES.items():
        differences = [abs(scores.get(a, 0.0) - scores.get(b, 0.0)) for a, b in pairs]
        levels[name] = sum(differences) / len(differences)
    levels["jaw ajar"] = levels["jaw"]
    return levels
