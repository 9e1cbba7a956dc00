"""Captions for drawn clips: they name actions that the clip shows, and no emotion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...prompts.facial_actions import ACTIONS
from .actions import ACTION_UNITS

__all__ = ["WORDINGS", "chinese", "describe", "describe_turn"]

# More wordings than facial_actions.ACTIONS has, then the actions that only a drawn face has. Noun
# phrases that fit after "with". They share words with the prompt bank and no run of four words: a
# model that reads the bank's sentences later has to put them together itself.
_MORE: dict[str, tuple[str, ...]] = {
    "inner_brows_up": (
        "inner brow ends lifted",
        "brows that slant upward toward each other",
        "slanting brows hitched up at the inner ends",
        "a short crease above raised inner brows",
    ),
    "brows_up": (
        "brows arched high",
        "brows that leap up in round arcs",
        "long horizontal lines on the whole forehead over lifted brows",
        "both curved brows shooting up",
    ),
    "brows_down": (
        "brows that sink, with a deep crease",
        "plunging brows",
        "heavy lowered brows and furrows over the nose",
        "inner brows gathered and dipping",
        "faintly lowered brows",
    ),
    "brows_up_together": (
        "brows a little raised and knit",
        "flat brows, raised, with a crease in mid-forehead",
        "a furrowed forehead above brows knit upward",
        "inner brows creased, lifted and drawn together",
    ),
    "one_brow_up": ("one brow lifted over the other", "a single brow raised, the other low"),
    "brows_relaxed": ("brows flat and level", "an unwrinkled forehead", "no line on the forehead"),
    "eyes_wide": (
        "eyes stretched wide",
        "upper lids snapped up over a ring of white",
        "eyes opened round",
        "widened eyes and a frozen gaze",
        "upper lids that lift high",
    ),
    "glare": (
        "eyes glaring hard from under the brow",
        "a locked stare with lifted lids",
        "eyes that stare ahead below heavy brows",
    ),
    "eyes_narrow": (
        "eyes squeezed narrow",
        "tight lower lids",
        "taut lower lids",
        "squinted, bunched eyelids",
    ),
    "cheeks_up": (
        "raised cheeks and crinkled outer eyes",
        "round lifted cheeks under the lower lids",
        "fine lines like a fan at the outer eye",
    ),
    "eyes_down": (
        "a gaze that drops away",
        "upper lids drooping, eyes on the ground",
        "eyes that fall and look down",
        "sinking upper eyelids and a lowered gaze",
    ),
    "eyes_wet": ("tears running over the cheeks", "wet eyes and tears on both cheeks"),
    "eyes_relaxed": ("eyelids at rest, half of the iris clear", "open steady eyes", "a plain gaze"),
    "eyes_sideways": (
        "half lowered eyelids and a sideways gaze",
        "a cold sidelong look from drooping lids",
        "eyes turned aside and lids half closed",
    ),
    "nose_wrinkle": (
        "the bridge of the nose wrinkled",
        "a crinkled nose",
        "a nose that scrunches up",
        "folds across the nose",
    ),
    "nostrils": ("nostrils that widen", "nostrils flared wide"),
    "upper_lip_up": (
        "the upper lip drawn upward",
        "both sides of an upper lip lifted together",
        "a curled upper lip and bare gum",
        "deep folds at the nostrils and a raised upper lip",
    ),
    "smile": (
        "both lip corners up in a smile",
        "a mouth curved upward at its ends",
        "an even smile on both sides",
    ),
    "grin": (
        "a grinning open mouth and upper teeth",
        "a laugh with parted lips and corners that swing up",
    ),
    "smirk": (
        "one lip corner raised, the other still",
        "a lopsided closed mouth and a dimple in one cheek",
        "lips twisted to a crooked sneer",
        "a lip curled at a single corner",
        "a mouth shifted sideways, one corner tucked in",
    ),
    "corners_down": (
        "both corners turned down",
        "a mouth bent downward at both ends",
        "lips whose ends sink",
        "sagging corners",
    ),
    "chin_up": (
        "a puckered chin",
        "the lower lip pushed out",
        "a chin bunched under the lips",
        "a small pout over a raised chin",
        "a lower lip that rolls outward",
    ),
    "lips_stretched": (
        "tense lips pulled towards both ears",
        "a stretched, flat mouth",
        "corners drawn outward and tightened",
        "lips drawn back and sideways",
    ),
    "lips_tight": (
        "thin pressed lips, the jaw clenched",
        "lips that tighten until they narrow",
        "tight closed lips",
        "a tight jaw and thin lips",
        "lips pressed on each other",
    ),
    "teeth_bared": ("an open square mouth and bare lower teeth", "teeth bared in a shout"),
    "lips_parted": (
        "lips slackly parted",
        "a mouth hanging half open",
        "loosely parted lips",
        "a mouth opened a little",
    ),
    "jaw_drop": (
        "the jaw dropped, the lips loose",
        "a mouth fallen open",
        "lips in an oval",
        "a chin that drops down",
    ),
    "scream": (
        "a gaping mouth drawn outward at the corners",
        "a wide open mouth with lips pulled back",
    ),
    "tongue": ("a tongue pushed out between open lips", "the tongue out"),
    "mouth_relaxed": (
        "lips lightly closed",
        "a straight mouth",
        "mouth corners neither high nor low",
    ),
    "face_relaxed": ("all muscles loose", "a smooth and motionless face", "no crease or fold"),
    "head_back": ("the chin tipped up", "a head that pulls back"),
    "head_down": (
        "the head tilted forward and down",
        "a head that dips",
        "the head sinking",
        "a bowed head",
    ),
    "head_tilt": ("the head tilted to one side", "a head leaning over"),
    "head_shake": (
        "the head slowly shaking",
        "a head that turns from side to side",
        "a slow shake of the head",
        "the head swinging left and right",
    ),
    "gaze_shifting": (
        "quickly shifting eyes",
        "restless eyes that flick to and fro",
        "eyes darting to the side and back",
        "a gaze that searches around",
        "a restless gaze that never settles",
    ),
    "eyes_closed": (
        "eyes that close longer than to blink",
        "eyelids closed for a moment",
        "closed eyes",
        "shut eyelids",
    ),
    "lip_bite": (
        "the lower lip bitten",
        "teeth that catch a lip",
        "upper teeth on the lower lip",
        "bitten lips",
    ),
}
WORDINGS: dict[str, tuple[str, ...]] = {
    action: (*ACTIONS.get(action, ()), *_MORE.get(action, ())) for action in ACTION_UNITS
}

_SUBJECTS = ("a person", "someone", "the person", "a face", "the face", "a man or a woman")
_OPENINGS = (
    "{a}",
    "{a}",
    "the face shows {a}",
    "{s} with {a}",
    "{s} has {a}",
    "{s} is seen with {a}",
    "the clip shows {s} with {a}",
)
_CONTEXTS = (
    "Someone sits in front of a camera.",
    "A person listens to somebody.",
    "A person faces the camera.",
    "Someone talks with another person.",
    "A person stands in a room.",
    "Someone hears what the other one says.",
)
_DOWN = (
    "first {u}, then {d}",
    "{u} at first, and at the end {d}",
    "{u} fades into {d}",
    "{u} sinks to {d}",
    "the lip corners start high and end low: the smile fades and the mouth droops",
    "a fading smile: the mouth falls from {u} to {d}",
    "the smile goes away, the lip corners sink and the mouth droops",
)
_UP = (
    "first {d}, then {u}",
    "{d} at first, and at the end {u}",
    "{d} brightens into {u}",
    "{d} rises to {u}",
    "the lip corners start low and end high: the smile grows and the mouth lifts",
    "a growing smile: the mouth climbs from {d} to {u}",
    "the smile appears, the lip corners rise and the mouth lifts",
)
_CHINESE = {
    "brows": "眉毛有变化",
    "lids": "眼睛有变化",
    "gaze": "目光移动",
    "nose": "鼻子皱起",
    "upper_lip": "上唇抬起",
    "corners": "嘴角有变化",
    "opening": "嘴唇有变化",
    "chin": "下巴有变化",
    "head": "头部移动",
    "tears": "流泪",
}


def describe(actions: Sequence[str], rng: np.random.Generator) -> str:
    """Write one sentence that names up to four of `actions`, in random order and wording.

    As in MAFW, some captions have a sentence before it that says what goes on around the face.
    """
    named = [str(a) for a in rng.permutation(list(actions))[:4]]
    phrases = [str(rng.choice(WORDINGS[action])) for action in named]
    listed = phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]
    opening = str(rng.choice(_OPENINGS))
    text = _sentence(opening.format(s=rng.choice(_SUBJECTS), a=listed))
    return f"{rng.choice(_CONTEXTS)} {text}" if rng.random() < 0.2 else text


def describe_turn(down: bool, rng: np.random.Generator) -> str:
    """Say that a smile turns into a downturned mouth, or the other way round."""
    opening = str(rng.choice(_DOWN if down else _UP))
    up, low = (str(rng.choice(WORDINGS[action])) for action in ("smile", "corners_down"))
    return _sentence(opening.format(u=up, d=low))


def chinese(actions: Sequence[str]) -> str:
    """Return a placeholder for MAFW's Chinese column: which parts of the face move."""
    moved = {slot for action in actions for slot in ACTION_UNITS[action].slots}
    return "、".join(phrase for slot, phrase in _CHINESE.items() if slot in moved) + "。"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
