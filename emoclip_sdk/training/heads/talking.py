"""Rendered heads that talk, with a face otherwise at rest or while they pose an emotion.

No sound is behind the movement of the mouth: visemes, the mouth shapes of speech, follow one
another at random, at the rate of syllables, with pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .posed import POSED_EMOTIONS, pose_actions, pose_strengths
from .render import HeadModel, HeadScene, RenderedHead, Vertices

__all__ = ["CALM_CLIPS", "FRAMES", "VISEMES", "TalkingHead", "render_talking"]

FRAMES, RATE = 12, 7.0
"""Of a clip, and a second: as the model samples a video."""
CALM_CLIPS = 3
"""Of a person whose face is otherwise at rest, for one of each emotion."""
SYLLABLES = 5.0  # a second
PAUSES = 0.12  # share of the syllables that are none

VISEMES: tuple[dict[str, float], ...] = (
    {"mouthPress": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},  # m, b, p
    {"jawOpen": 0.45, "mouthLowerDown": 0.25},  # ah
    {  # ee
        "jawOpen": 0.12,
        "mouthStretch": 0.35,
        "mouthUpperUp": 0.15,
        "mouthLowerDown": 0.3,
        "mouthSmile": 0.15,
    },
    {"jawOpen": 0.3, "mouthFunnel": 0.5},  # oh
    {"jawOpen": 0.08, "mouthPucker": 0.7},  # oo
    {"jawOpen": 0.06, "mouthRollLower": 0.4, "mouthUpperUp": 0.2},  # f, v
    {"jawOpen": 0.12, "mouthLowerDown": 0.35, "mouthStretch": 0.1},  # s, t
    {"jawOpen": 0.25},  # schwa
)
"""Mouth shapes of speech, as expressions of the head model (ARKit's names) with their strength."""

_LOUD = (0.6, 1.1)
_WEAKEST = 0.5  # how far the faintest pose is there
_BLINKS, _BROWS = 0.05, 0.15  # of a frame; brows that go up with speech, where nothing is posed
_YAW, _PITCH, _ZOOM = 7.0, 5.0, (0.75, 1.0)
_NODS = (5.0, 4.0)  # degrees, at most


@dataclass(frozen=True)
class TalkingHead:
    """One clip.

    Attributes
    ----------
    frames : tuple of RenderedHead
        `FRAMES`, `RATE` a second.
    emotion : str
        "neutral": the face is at rest but for the mouth.
    degree : float
        How far the emotion is posed, in [0, 1]; 1 for a neutral face.
    """

    frames: tuple[RenderedHead, ...]
    emotion: str
    degree: float


def render_talking(
    model: HeadModel, seed: int, emotions: tuple[str, ...] = POSED_EMOTIONS
) -> Iterator[TalkingHead]:
    """Draw clips of one person who talks: one for each emotion, of neutral `CALM_CLIPS`.

    What is posed stays while the mouth moves; the head sways, and the eyes blink. The same seed
    gives the same pictures.

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
        for _ in range(CALM_CLIPS if emotion == "neutral" else 1):
            yield _clip(model, person, emotion, rng)


def _clip(
    model: HeadModel, person: Vertices, emotion: str, rng: np.random.Generator
) -> TalkingHead:
    calm = emotion == "neutral"
    degree = 1.0 if calm else float(rng.uniform(_WEAKEST, 1))
    posed = {} if calm else pose_strengths(model, pose_actions(emotion, rng), degree, rng)
    light = (rng.uniform(-0.7, 0.7), rng.uniform(0, 0.7), 0.8)
    zoom, turn = rng.uniform(*_ZOOM), rng.normal(0, (_YAW, _PITCH))
    nods, pace, phase = rng.uniform(0, _NODS), rng.uniform(0.25, 1, 2), rng.uniform(0, 1, 2)
    known, frames = model.expressions, []
    for i, spoken in enumerate(_speech(rng)):
        strengths = dict(posed)
        for expression, strength in spoken.items():
            for name in known[expression]:
                there = strengths.get(name, 0.0)
                # A jaw that hangs open moves around there; what else is posed stays.
                jaw = expression == "jawOpen"
                strengths[name] = min(0.6 * there + strength if jaw else max(there, strength), 1)
        if rng.random() < _BLINKS:
            strengths.update(dict.fromkeys(known["eyeBlink"], float(rng.uniform(0.5, 1))))
        if calm and rng.random() < _BROWS:
            brows = (*known["browOuterUp"], *known["browInnerUp"])
            strengths.update(dict.fromkeys(brows, float(rng.uniform(0.1, 0.35))))
        yaw, pitch = turn + nods * np.sin(2 * np.pi * (pace * i / RATE + phase))
        scene = HeadScene(float(yaw), float(pitch), light, zoom)
        frames.append(model.render(person, strengths, scene))
    return TalkingHead(tuple(frames), emotion, degree)


def _speech(rng: np.random.Generator) -> Iterator[dict[str, float]]:
    """Draw what the mouth does in each frame: from one viseme to the next, smoothly."""
    loud = rng.uniform(*_LOUD)
    count = int(FRAMES / RATE * SYLLABLES) + 3
    visemes = [VISEMES[i] for i in rng.integers(len(VISEMES), size=count)]
    said = [{} if rng.random() < PAUSES else viseme for viseme in visemes]
    for at in np.arange(FRAMES) / RATE * SYLLABLES + rng.random():
        i, part = int(at), float(at % 1)
        part = part * part * (3 - 2 * part)
        one, two = said[i], said[i + 1]
        yield {
            name: float(loud * ((1 - part) * one.get(name, 0) + part * two.get(name, 0)))
            for name in sorted({*one, *two})
        }
