"""What a drawn face can do: action units, facial actions made of them, and classes made of actions.

Units carry their FACS number (Ekman and Friesen 1978). ``U2`` and ``U14`` act on one side of the
face; ``tears`` has no number. An action is one thing that a caption can name.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..data.facial_actions import EMOTION_ACTIONS

__all__ = ["ACTION_UNITS", "CLASS_ACTIONS", "UNITS", "Action", "fits", "units_of"]

# fmt: off
UNITS: tuple[str, ...] = (
    "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU15", "AU16", "AU17",
    "AU19", "AU20", "AU24", "AU25", "AU26", "AU32", "AU38", "AU43",
    "AU51", "AU52", "AU53", "AU54", "AU55", "AU56",   # head: left, right, up, down, tilts
    "AU61", "AU62", "AU64",                           # eyes: left, right, down
    "U2", "U14", "tears",
)
# fmt: on


@dataclass(frozen=True)
class Action:
    """A facial action.

    Attributes
    ----------
    units : dict of str to float
        Intensity of each unit at the apex, in [0, 1].
    slots : frozenset of str
        What it occupies. Two actions with a slot in common can't be shown together.
    swings : tuple of (str, str), optional
        The action goes to and fro between these two units and does not hold.
    """

    units: dict[str, float]
    slots: frozenset[str]
    swings: tuple[str, str] | None = None


def _action(slots: str, swings: tuple[str, str] | None = None, **units: float) -> Action:
    return Action(units, frozenset(slots.split()), swings)


# Keys as in facial_actions.ACTIONS; the last ones are new here.
ACTION_UNITS: dict[str, Action] = {
    "inner_brows_up": _action("brows", AU1=1.0, AU4=0.15),
    "brows_up": _action("brows", AU1=1.0, AU2=1.0),
    "brows_down": _action("brows", AU4=1.0),
    "brows_up_together": _action("brows", AU1=0.9, AU2=0.45, AU4=0.9),
    "one_brow_up": _action("brows", U2=1.0),
    "brows_relaxed": _action("brows"),
    "eyes_wide": _action("lids", AU5=1.0),
    "glare": _action("lids stare", AU4=0.7, AU5=0.8, AU7=0.5),
    "eyes_narrow": _action("lids", AU7=1.0),
    "cheeks_up": _action("lids", AU6=1.0),
    "eyes_down": _action("lids gaze", AU64=1.0, AU43=0.35),
    "eyes_wet": _action("tears", tears=1.0),
    "eyes_relaxed": _action("lids gaze"),
    "eyes_sideways": _action("lids gaze", AU61=1.0, AU43=0.35),
    "nose_wrinkle": _action("nose", AU9=1.0, AU4=0.25),
    "nostrils": _action("nose", AU38=1.0),
    "upper_lip_up": _action("upper_lip opening", AU10=1.0, AU25=0.25),
    "smile": _action("corners", AU12=1.0),
    "grin": _action("corners opening", AU12=1.0, AU25=1.0, AU26=0.25),
    "smirk": _action("corners opening", U14=1.0),
    "corners_down": _action("corners", AU15=1.0),
    "chin_up": _action("chin", AU17=1.0),
    "lips_stretched": _action("corners", AU20=1.0),
    "lips_tight": _action("opening", AU24=1.0),
    "teeth_bared": _action(
        "opening corners upper_lip chin", AU10=0.6, AU16=1.0, AU20=0.4, AU25=1.0
    ),
    "lips_parted": _action("opening", AU25=1.0),
    "jaw_drop": _action("opening chin", AU25=1.0, AU26=1.0),
    "scream": _action("opening corners chin", AU20=0.8, AU25=1.0, AU26=0.9),
    "tongue": _action("opening chin", AU19=1.0, AU25=1.0, AU26=0.35),
    "mouth_relaxed": _action("corners opening chin upper_lip"),
    "face_relaxed": _action("brows lids gaze nose corners opening chin upper_lip"),
    "head_back": _action("head", AU53=1.0),
    "head_down": _action("head", AU54=1.0),
    "head_tilt": _action("head", AU55=1.0),
    "head_shake": _action("head", ("AU51", "AU52"), AU51=1.0, AU52=1.0),
    "gaze_shifting": _action("gaze", ("AU61", "AU62"), AU61=1.0, AU62=1.0),
    "eyes_closed": _action("lids gaze", AU43=1.0),
    "lip_bite": _action("opening", AU32=1.0),
}

# Probability that a class shows an action; the eight emotions as in the captions for FER+, the
# other three of MAFW after the bank's descriptions.
CLASS_ACTIONS: dict[str, dict[str, float]] = {
    **EMOTION_ACTIONS,
    "anxiety": {
        "brows_up_together": 0.55,
        "brows_down": 0.2,
        "gaze_shifting": 0.75,
        "eyes_narrow": 0.2,
        "lip_bite": 0.45,
        "lips_tight": 0.4,
        "nostrils": 0.2,
    },
    "helplessness": {
        "inner_brows_up": 0.65,
        "head_shake": 0.6,
        "eyes_closed": 0.3,
        "eyes_down": 0.25,
        "lips_parted": 0.6,
        "corners_down": 0.3,
        "lips_stretched": 0.25,
    },
    "disappointment": {
        "brows_down": 0.35,
        "eyes_down": 0.5,
        "eyes_closed": 0.2,
        "corners_down": 0.55,
        "lips_tight": 0.6,
        "chin_up": 0.3,
        "head_down": 0.6,
    },
}


def fits(action: str, chosen: list[str]) -> bool:
    """Say whether a face that does `shown` can do `action` as well.

    A glare goes with lowered brows or with brows that do nothing of their own.
    """
    if action in chosen or any(ACTION_UNITS[action].slots & ACTION_UNITS[s].slots for s in chosen):
        return False
    both = {action, *chosen}
    brows = {s for s in both if "brows" in ACTION_UNITS[s].slots}
    return "glare" not in both or brows <= {"brows_down"}


def units_of(action: str, side: int) -> tuple[dict[str, float], tuple[str, str] | None]:
    """Return units and swing of an action; `side` (-1 or 1) turns a look or a tilt round."""
    entry = ACTION_UNITS[action]
    other = {"AU61": "AU62", "AU55": "AU56"}
    if side < 0 and entry.swings is None:
        return {other.get(unit, unit): peak for unit, peak in entry.units.items()}, None
    return entry.units, entry.swings
