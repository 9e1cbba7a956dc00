"""Which facial actions, in the terms of captions, rendered heads show: exactly, not measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.measured_actions import FacialActions
from .render import RenderedHead

__all__ = ["HEAD_ACTIONS", "SIDE_ACTIONS", "head_actions", "head_sides"]

FULL = 0.5
"""Strength of an expression from which on an action is there in full."""
TURNED = 15.0  # degrees of a head that is turned, or lifted, in full

_BROWS = ("browDown", "browInnerUp", "browOuterUp")
_MOUTH = ("jawOpen", "mouthSmile", "mouthFrown", "mouthUpperUp", "mouthLowerDown", "mouthPucker",
          "mouthFunnel", "mouthStretch", "mouthPress", "mouthRollLower", "mouthRollUpper",
          "mouthShrugLower", "mouthLeft", "mouthRight", "noseSneer")  # fmt: skip

HEAD_ACTIONS: dict[str, dict[str, float]] = {
    "inner_brows_up": {"browInnerUp": 1},
    "brows_up": {"browOuterUp": 1},
    "brows_down": {"browDown": 1},
    "eyes_wide": {"eyeWide": 1},
    "eyes_narrow": {"eyeSquint": 1, "cheekSquint": 0.5, "cheekRaiser": 0.5},
    "eyes_closed": {"eyeBlink": 1},
    "cheeks_up": {"cheekRaiser": 1, "cheekSquint": 1, "mouthSmile": 0.5},
    "cheeks_puffed": {"cheekPuff": 1},
    "nose_wrinkle": {"noseSneer": 1},
    "upper_lip_up": {"mouthUpperUp": 1, "noseSneer": 0.7},
    "lower_lip_down": {"mouthLowerDown": 1},
    "smile": {"mouthSmile": 1},
    "corners_down": {"mouthFrown": 1},
    "chin_up": {"mouthShrugLower": 1, "mouthShrugUpper": 0.5},
    "lips_pursed": {"mouthPucker": 1, "mouthFunnel": 0.6},
    "lips_stretched": {"mouthStretch": 1},
    "lips_tight": {"mouthPress": 1, "mouthRollLower": 0.7, "mouthRollUpper": 0.7},
    "mouth_open": {"jawOpen": 1, "mouthFunnel": 0.5},
    "jaw_drop": {"jawOpen": 0.7},
}
"""Actions of captions, the expressions (ARKit's names) of which the strongest counts, and how much.
Each side is half of it."""

_ABSENT: dict[str, tuple[str, ...]] = {
    "brows_relaxed": _BROWS,
    "eyes_open": ("eyeBlink", "eyeSquint"),
    "no_smile": ("mouthSmile",),
    "mouth_relaxed": _MOUTH,
}
_UNEVEN = {"one_brow_up": "browOuterUp", "smirk": "mouthSmile"}
_ONE_SIDED = {"corner_up": "mouthSmile", "brow_up": "browOuterUp", "eye_closed": "eyeBlink"}
_TO_A_SIDE = {"mouth": {"left": ("mouthLeft", "jawLeft"), "right": ("mouthRight", "jawRight")}}

SIDE_ACTIONS: dict[str, tuple[str, str]] = {
    f"{name}_{side}": (name, side)
    for name in (*_ONE_SIDED, *_TO_A_SIDE, "head")
    for side in ("left", "right")
}
"""Actions of one side of the face, the person's own: what it does, and the side."""


def head_actions(heads: Sequence[RenderedHead]) -> FacialActions:
    """Say which actions each head shows, sides apart.

    Parameters
    ----------
    heads : sequence of RenderedHead
    """
    turns = ("head_turned", "head_ahead", "head_up", "head_down")
    return _presence(heads, (*HEAD_ACTIONS, *_ABSENT, *_UNEVEN, *turns))


def head_sides(heads: Sequence[RenderedHead]) -> FacialActions:
    """Say which of `SIDE_ACTIONS` each head shows; parameters as in :func:`head_actions`."""
    return _presence(heads, tuple(SIDE_ACTIONS))


def _presence(heads: Sequence[RenderedHead], names: tuple[str, ...]) -> FacialActions:
    shown = [_shown(head) for head in heads]
    presence = np.array([[of_head[name] for name in names] for of_head in shown], np.float32)
    return FacialActions(names, presence.clip(0, 1))


def _shown(head: RenderedHead) -> dict[str, float]:
    def sides(expression: str) -> tuple[float, float]:
        """How far it is there in full, on the left and on the right."""
        both = head.strengths.get(expression, 0.0)
        left, right = (head.strengths.get(f"{expression}_{side}", both) for side in "LR")
        return min(left / FULL, 1.0), min(right / FULL, 1.0)

    shown = {
        name: max(weight * sum(sides(e)) / 2 for e, weight in parts.items())
        for name, parts in HEAD_ACTIONS.items()
    }
    for name, expressions in _ABSENT.items():
        shown[name] = 1 - max(max(sides(e)) for e in expressions)
    for name, expression in _UNEVEN.items():
        left, right = sides(expression)
        shown[name] = abs(left - right)
    turn, lift = head.scene.yaw / TURNED, head.scene.pitch / TURNED
    shown |= {"head_turned": abs(turn), "head_ahead": 1 - abs(turn)}
    shown |= {"head_up": lift, "head_down": -lift, "head_left": turn, "head_right": -turn}
    for action, expression in _ONE_SIDED.items():
        left, right = sides(expression)
        shown |= {f"{action}_left": left - right, f"{action}_right": right - left}
    for action, parts in _TO_A_SIDE.items():
        for side, expressions in parts.items():
            shown[f"{action}_{side}"] = max(max(sides(e)) for e in expressions)
    return shown
