"""What faces do: facial actions with their wordings, and how a landmark network measures them.

Captions for training and the words that :func:`~emoclip_sdk.results.action_words.describe_actions`
finds for a window of a video come from here.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from ..assets import asset

__all__ = ["ACTIONS", "ASYMMETRIES", "MEASURED", "MOVEMENTS", "action_wordings"]

# Facial actions, named by their FACS action unit (AU) where there is one. Every entry is a noun
# phrase that fits after "with".
ACTIONS: dict[str, tuple[str, ...]] = {
    "inner_brows_up": (  # AU1
        "the inner ends of the eyebrows pulled up",
        "inner brows raised and slanting",
        "eyebrows that rise in the middle",
        "brows tilted upward toward the centre of the forehead",
        "oblique eyebrows, higher at the inner corners",
    ),
    "brows_up": (  # AU1+2
        "raised eyebrows",
        "both eyebrows lifted high",
        "eyebrows arched upward",
        "high curved brows and lines across the forehead",
        "brows shot up and a creased forehead",
    ),
    "brows_down": (  # AU4
        "lowered eyebrows",
        "brows pulled down and together",
        "knitted brows",
        "a furrowed brow",
        "eyebrows drawn together with a vertical crease between them",
        "a frown line between the eyes",
    ),
    "brows_up_together": (  # AU1+2+4
        "eyebrows raised and pulled together",
        "brows lifted, straight and drawn toward each other",
        "tense raised brows",
        "wrinkles in the middle of the forehead and raised, pinched brows",
    ),
    "one_brow_up": (
        "one eyebrow raised",
        "a single arched brow",
        "one brow cocked higher than the other",
    ),
    "brows_relaxed": (
        "eyebrows at rest",
        "level, unmoving brows",
        "a smooth forehead",
        "brows neither lifted nor drawn together",
    ),
    "eyes_wide": (  # AU5
        "eyes opened wide",
        "wide eyes with the white showing above the iris",
        "upper eyelids pulled up",
        "round, enlarged eyes",
        "staring wide-open eyes",
    ),
    "glare": (  # AU4+5+7
        "a hard, fixed stare",
        "glaring eyes",
        "piercing eyes under low brows",
        "eyes staring intensely",
    ),
    "eyes_narrow": (  # AU7
        "narrowed eyes",
        "tightened lower eyelids",
        "squinting eyes",
        "eyes reduced to slits",
    ),
    "cheeks_up": (  # AU6
        "lifted cheeks",
        "crinkles at the outer corners of the eyes",
        "crow's feet beside the eyes",
        "full raised cheeks that push up the lower lids",
        "eyes that narrow above rounded cheeks",
    ),
    "eyes_down": (
        "eyes cast down",
        "a lowered gaze",
        "drooping upper eyelids",
        "heavy eyelids and a downward look",
    ),
    "eyes_closed": ("closed eyes", "eyelids that are shut", "eyes that are shut"),  # AU43
    "eyes_up": ("eyes turned upward", "a raised gaze", "eyes looking up"),
    "eyes_wet": ("wet eyes", "tears in the eyes", "eyes squeezed shut with tears"),
    "eyes_relaxed": (
        "eyes open as usual",
        "a steady, even gaze",
        "relaxed eyelids",
        "eyes looking straight ahead without tension",
    ),
    "eyes_sideways": ("a sidelong glance", "eyes looking down at someone", "half-lowered lids"),
    "nose_wrinkle": (  # AU9
        "a wrinkled nose",
        "a scrunched-up nose",
        "creases along the sides of the nose",
        "a nose crinkled upward",
    ),
    "nostrils": ("flared nostrils", "widened nostrils"),  # AU38
    "upper_lip_up": (  # AU10
        "a raised upper lip",
        "the upper lip curled upward",
        "an upper lip lifted to bare the teeth",
        "a deep fold beside the nose and a lifted lip",
    ),
    "smile": (  # AU12
        "lip corners pulled up",
        "a broad smile",
        "the corners of the mouth turned upward",
        "a smiling mouth",
        "lips stretched back and up",
    ),
    "grin": (  # AU12+25
        "a wide grin that shows the teeth",
        "an open smiling mouth with visible upper teeth",
        "teeth showing between upturned lips",
        "a laughing open mouth",
    ),
    "smirk": (  # AU12/14, one side
        "one corner of the mouth lifted",
        "a lopsided half smile",
        "a smirk on one side of the mouth",
        "one lip corner tightened and pulled in",
        "an asymmetric mouth with a dent in one cheek",
    ),
    "corners_down": (  # AU15
        "lip corners pulled down",
        "a downturned mouth",
        "the corners of the mouth sagging",
        "a mouth bent downward",
    ),
    "chin_up": (  # AU17
        "a pushed-up chin",
        "a wrinkled chin and a protruding lower lip",
        "a pouting lower lip",
        "a trembling lower lip",
    ),
    "lips_stretched": (  # AU20
        "lips stretched sideways",
        "lip corners pulled straight back toward the ears",
        "a tense mouth drawn wide",
    ),
    "lips_pursed": (  # AU18
        "pursed lips",
        "puckered lips pushed forward",
        "lips drawn together as for a kiss",
    ),
    "lips_tight": (  # AU23/24
        "lips pressed together",
        "tight, thin lips",
        "a firmly closed mouth",
        "a clenched jaw and narrowed lips",
    ),
    "teeth_bared": (
        "bared, gritted teeth",
        "a shouting mouth with square lips",
        "an open mouth showing clenched teeth",
    ),
    "lips_parted": ("slightly parted lips", "lips a little apart", "a half-open mouth"),  # AU25
    "jaw_drop": (  # AU26
        "a dropped jaw",
        "a mouth hanging open",
        "an open, oval mouth",
        "a gaping mouth",
        "the mouth opened in a round shape",
    ),
    "scream": ("a mouth wide open in a scream", "an open mouth with tensed, drawn-back lips"),
    "tongue": ("the tongue pushed forward", "a mouth opened as if to spit something out"),
    "mouth_relaxed": (
        "lips closed without pressure",
        "a relaxed, straight mouth",
        "lip corners neither up nor down",
        "a mouth at rest",
    ),
    "face_relaxed": (
        "facial muscles at rest",
        "no visible movement in the face",
        "a still, blank face",
        "even, composed features",
    ),
    "head_back": ("the head tilted slightly back", "the chin lifted"),
}

MOVEMENTS: dict[str, tuple[str, ...]] = {
    "inner brow": ("browInnerUp",),
    "outer brow": ("browOuterUpLeft", "browOuterUpRight"),
    "brow down": ("browDownLeft", "browDownRight"),
    "lid up": ("eyeWideLeft", "eyeWideRight"),
    "squint": ("eyeSquintLeft", "eyeSquintRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "look down": ("eyeLookDownLeft", "eyeLookDownRight"),
    "look up": ("eyeLookUpLeft", "eyeLookUpRight"),
    "upper lip": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "lower lip": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "corners up": ("mouthSmileLeft", "mouthSmileRight"),
    "corners down": ("mouthFrownLeft", "mouthFrownRight"),
    "shrug": ("mouthShrugLower", "mouthShrugUpper"),
    "stretch": ("mouthStretchLeft", "mouthStretchRight"),
    "pucker": ("mouthPucker",),
    "press": ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"),
    "jaw": ("jawOpen",),
}
"""Movements, and the blendshapes (ARKit's names) whose mean each of them is."""

ASYMMETRIES: dict[str, tuple[tuple[str, str], ...]] = {
    "uneven brows": (("browOuterUpLeft", "browOuterUpRight"),),
    "uneven mouth": (("mouthSmileLeft", "mouthSmileRight"), ("mouthLeft", "mouthRight")),
    "gaze aside": (("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookInRight", "eyeLookOutRight")),
}
"""Movements of one side alone: means of the differences within pairs of blendshapes."""

MEASURED: dict[str, tuple[str, ...]] = {
    "inner_brows_up": ("inner brow",),
    "brows_up": ("outer brow",),
    "brows_down": ("brow down",),
    "one_brow_up": ("uneven brows",),
    "brows_relaxed": ("-outer brow", "-brow down"),
    "eyes_wide": ("lid up",),
    "glare": ("brow down", "lid up"),
    "eyes_narrow": ("squint",),
    "cheeks_up": ("corners up", "squint"),
    "eyes_closed": ("blink",),
    "eyes_down": ("look down",),
    "eyes_up": ("look up",),
    "eyes_sideways": ("gaze aside",),
    "upper_lip_up": ("upper lip",),
    "smile": ("corners up",),
    "grin": ("corners up", "upper lip"),
    "smirk": ("uneven mouth", "-upper lip"),
    "corners_down": ("corners down",),
    "chin_up": ("shrug",),
    "lips_pursed": ("pucker",),
    "lips_stretched": ("stretch",),
    "lips_tight": ("press",),
    "teeth_bared": ("lower lip", "upper lip", "-corners up"),
    "jaw_drop": ("jaw",),
    "scream": ("jaw", "stretch"),
    "mouth_relaxed": ("-jaw", "-corners up", "-corners down", "-upper lip"),
    "face_relaxed": ("-jaw", "-corners up", "-upper lip", "-outer brow", "-brow down", "-lid up"),
}
"""Actions of :data:`ACTIONS` and the movements of which the weakest counts; ``-``: its absence. A
wrinkled nose is not among them: its score is no higher in faces that annotators call disgusted."""


@lru_cache(maxsize=1)
def action_wordings() -> MappingProxyType[str, tuple[str, ...]]:
    """Return all that training captions say for each facial action alone.

    The wordings of :data:`ACTIONS` and those of ``prompts/action_wordings.yaml``, which has some
    actions more: an open mouth, a turned head.
    """
    import yaml

    text = asset("prompts").joinpath("action_wordings.yaml").read_text(encoding="utf-8")
    more = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    names = dict.fromkeys([*ACTIONS, *more])
    return MappingProxyType({name: (*ACTIONS.get(name, ()), *more.get(name, ())) for name in names})
