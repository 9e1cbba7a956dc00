"""The facial actions that show an emotion, after Ekman and Friesen's EMFACS combinations.

Each has a probability. What an action is called is in :mod:`emoclip_sdk.prompts.facial_actions`.
"""

from __future__ import annotations

__all__ = ["EMOTION_ACTIONS"]

# Probability that an emotion shows an action.
# fmt: off
EMOTION_ACTIONS: dict[str, dict[str, float]] = {
    "neutral": {
        "brows_relaxed": 0.6, "eyes_relaxed": 0.6, "mouth_relaxed": 0.7, "face_relaxed": 0.4,
    },
    "happiness": {"smile": 0.7, "grin": 0.5, "cheeks_up": 0.7, "brows_relaxed": 0.1},
    "surprise": {"brows_up": 0.8, "eyes_wide": 0.8, "jaw_drop": 0.75, "lips_parted": 0.2},
    "sadness": {
        "inner_brows_up": 0.6, "corners_down": 0.75, "eyes_down": 0.5, "chin_up": 0.3,
        "eyes_wet": 0.25, "brows_down": 0.1,
    },
    "anger": {
        "brows_down": 0.8, "glare": 0.5, "eyes_narrow": 0.3, "lips_tight": 0.5,
        "teeth_bared": 0.35, "nostrils": 0.25,
    },
    "disgust": {
        "nose_wrinkle": 0.8, "upper_lip_up": 0.75, "eyes_narrow": 0.4, "brows_down": 0.2,
        "chin_up": 0.15, "corners_down": 0.15, "tongue": 0.15,
    },
    "fear": {
        "brows_up_together": 0.7, "eyes_wide": 0.75, "lips_stretched": 0.6, "lips_parted": 0.25,
        "scream": 0.3,
    },
    "contempt": {
        "smirk": 0.9, "one_brow_up": 0.3, "eyes_sideways": 0.35, "head_back": 0.25,
        "lips_tight": 0.2,
    },
}

# fmt: on
