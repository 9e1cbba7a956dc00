"""Rendered heads that pose an emotion as actors do, by the facial actions that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..data.facial_actions import EMOTION_ACTIONS
from .render import HeadModel, HeadScene, RenderedHead

__all__ = [
    "POSED_ACTIONS",
    "POSED_EMOTIONS",
    "PosedHead",
    "pose_actions",
    "pose_strengths",
    "render_posed",
]

POSED_EMOTIONS = tuple(name for name in EMOTION_ACTIONS if name != "contempt")
"""By its landmarks a smirk hardly differs from a faint smile, so nobody poses contempt."""

# fmt: off
POSED_ACTIONS: dict[str, dict[str, float]] = {
    "brows_relaxed": {}, "eyes_relaxed": {}, "mouth_relaxed": {}, "face_relaxed": {},
    "smile": {"mouthSmile": 1},
    "grin": {"mouthSmile": 1, "mouthUpperUp": 0.4, "jawOpen": 0.2},
    "cheeks_up": {"cheekSquint": 0.8, "cheekRaiser": 0.8},
    "brows_up": {"browInnerUp": 1, "browOuterUp": 1},
    "brows_up_together": {"browInnerUp": 1, "browOuterUp": 0.4, "browDown": 0.3},
    "inner_brows_up": {"browInnerUp": 1},
    "brows_down": {"browDown": 1},
    "eyes_wide": {"eyeWide": 1},
    "eyes_narrow": {"eyeSquint": 0.8, "cheekSquint": 0.5},
    "eyes_down": {"eyeBlink": 0.45},
    "eyes_wet": {}, "eyes_sideways": {},
    "glare": {"eyeWide": 0.5, "browDown": 0.5},
    "jaw_drop": {"jawOpen": 0.8},
    "lips_parted": {"jawOpen": 0.25},
    "scream": {"jawOpen": 0.7, "mouthStretch": 0.5, "mouthLowerDown": 0.5},
    "lips_stretched": {"mouthStretch": 1},
    "lips_tight": {"mouthPress": 1},
    "corners_down": {"mouthFrown": 1},
    "chin_up": {"mouthShrugLower": 1},
    "teeth_bared": {"mouthUpperUp": 0.5, "mouthLowerDown": 0.8, "jawOpen": 0.3},
    "tongue": {"jawOpen": 0.4},
    "nostrils": {"noseSneer": 0.4},
    "nose_wrinkle": {"noseSneer": 1},
    "upper_lip_up": {"mouthUpperUp": 1},
    "smirk": {"mouthSmile": 0.8, "mouthDimple": 0.8},
    "one_brow_up": {"browOuterUp": 1},
    "head_back": {},
}
"""The actions of :data:`~emoclip_sdk.training.data.facial_actions.EMOTION_ACTIONS` as expressions
of the head model (ARKit's names, sides apart) with their strength; what it can't show is empty."""
# fmt: on

_ONE_SIDED = ("smirk", "one_brow_up")
_HEAD_BACK = 10.0  # degrees
PICTURES = 5
"""Of one person and emotion."""
_WEAKEST = 0.4  # how far the faintest pose is there
_YAW, _PITCH, _ZOOM = 9.0, 6.0, (0.75, 1.0)


@dataclass(frozen=True)
class PosedHead:
    """One picture.

    Attributes
    ----------
    head : RenderedHead
    emotion : str
    degree : float
        How far it is posed, in [0, 1].
    """

    head: RenderedHead
    emotion: str
    degree: float


def render_posed(
    model: HeadModel, seed: int, emotions: tuple[str, ...] = POSED_EMOTIONS
) -> Iterator[PosedHead]:
    """Draw one person who poses each emotion several times.

    Which actions a pose has is drawn by their probabilities, as for a caption; how strong each is,
    and the turn of the head, its distance and the light, at random. The same seed gives the same
    pictures.

    Parameters
    ----------
    model : HeadModel
    seed : int
        Who it is.
    emotions : tuple of str
        Keys of ``EMOTION_ACTIONS``.
    """
    rng = np.random.default_rng(seed)
    person = model.person(rng)
    for emotion in emotions:
        for _ in range(PICTURES):
            degree = float(rng.uniform(_WEAKEST, 1))
            actions = pose_actions(emotion, rng)
            strengths = pose_strengths(model, actions, degree, rng)
            light = (rng.uniform(-0.7, 0.7), rng.uniform(0, 0.7), 0.8)
            back = _HEAD_BACK * degree if "head_back" in actions else 0.0
            yaw, pitch = rng.normal(0, _YAW), rng.normal(back, _PITCH)
            scene = HeadScene(yaw, pitch, light, rng.uniform(*_ZOOM))
            yield PosedHead(model.render(person, strengths, scene), emotion, degree)


def pose_actions(emotion: str, rng: np.random.Generator) -> list[str]:
    """Draw what a pose shows: one action at least that can be seen, where there is any."""
    chances = EMOTION_ACTIONS[emotion]
    drawn = [action for action, chance in chances.items() if rng.random() < chance]
    if not any(POSED_ACTIONS[action] for action in drawn):
        drawn.append(max(chances, key=lambda action: chances[action]))
    return drawn


def pose_strengths(
    model: HeadModel, actions: list[str], degree: float, rng: np.random.Generator
) -> dict[str, float]:
    """Draw how strong the expressions of some actions are, posed to a degree."""
    known = model.expressions
    strengths: dict[str, float] = {}
    for action in actions:
        side = int(rng.integers(2))
        for expression, full in POSED_ACTIONS[action].items():
            strength = full * degree * rng.uniform(0.7, 1.1)
            sides = known[expression]
            for name in sides[side : side + 1] if action in _ONE_SIDED else sides:
                strengths[name] = min(max(strengths.get(name, 0.0), float(strength)), 1.0)
    return strengths
