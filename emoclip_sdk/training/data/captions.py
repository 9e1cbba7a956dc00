"""Captions for faces that come with votes or action units and without a sentence.

MAFW's captions say in one context-free clause what brows, eyes and mouth do. The captioner here
does the same: an emotion is a set of facial actions, each with a probability (after Ekman and
Friesen's EMFACS combinations), an action has several wordings, and a caption strings a few of
them together. Most captions carry no emotion word, as in MAFW; the rest teach the words, which
come from ``lexicon.yaml``: several hundred, so that the text tower meets the neighbourhood of most
words that somebody could ask for. None shares a stem with the words of ``synonyms.yaml``, which an
evaluation asks for: its figure says what becomes of a word never met with a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...assets import package_file
from .corpus import Text

__all__ = [
    "ACTIONS",
    "DEGREES",
    "EMOTION_ACTIONS",
    "LEXICON",
    "Captioner",
    "Lexicon",
    "load_lexicon",
]

LEXICON = package_file(__package__, "lexicon.yaml")

# Adverbs that may stand before an adjective of each grade.
DEGREES: dict[str, tuple[str, ...]] = {
    "mild": ("slightly", "somewhat", "a little", "mildly"),
    "plain": ("rather", "quite", "visibly", "clearly", "very"),
    "strong": ("extremely", "utterly", "absolutely", "completely"),
}

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


@dataclass(frozen=True)
class Lexicon:
    """What ``lexicon.yaml`` holds about one emotion.

    Attributes
    ----------
    adjectives, nouns : tuple of (str, str)
        Word and grade: ``mild``, ``plain`` or ``strong``.
    paraphrases : tuple of str
        Clauses that say what somebody feels, or why.
    """

    adjectives: tuple[tuple[str, str], ...]
    nouns: tuple[tuple[str, str], ...]
    paraphrases: tuple[str, ...]


def load_lexicon(path: str | Path = LEXICON) -> dict[str, Lexicon]:
    """Read a lexicon: emotion to its graded words and paraphrases."""
    data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))

    def graded(entry: dict[str, Any], part: str) -> tuple[tuple[str, str], ...]:
        return tuple((word, grade) for grade in DEGREES for word in entry[grade][part])

    return {
        emotion: Lexicon(
            graded(entry, "adjectives"), graded(entry, "nouns"), tuple(entry["paraphrases"])
        )
        for emotion, entry in data.items()
    }


_SUBJECTS = (
    "a face",
    "a person",
    "a man",
    "a woman",
    "someone",
    "the subject",
    "the person",
    "the face",
)
_OPENINGS = (
    "{s} with {a}",
    "{s} shows {a}",
    "{s} has {a}",
    "{a}",
    "there is {s} with {a}",
    "the picture shows {s} with {a}",
    "a facial expression with {a}",
    "{s} is seen with {a}",
    "a close-up of {s} with {a}",
)
_WORD_ADJECTIVE = (
    "{s} looks {w}",
    "{s} who seems {w}",
    "a {w} face",
    "a {w} facial expression",
    "{s}, {w}",
    "an expression that looks {w}",
    "{s} appears {w}",
    "feeling {w}",
)
_WORD_NOUN = (
    "an expression of {w}",
    "{s} showing {w}",
    "a look of {w}",
    "{w} on the face",
    "a face full of {w}",
    "a facial expression of {w}",
)

# Of the captions that name or paraphrase the emotion: the share of bare words, as a user types
# them, and of paraphrases. Of the others, the share with an adjective rather than a noun.
BARE = 0.2
PARAPHRASED = 0.1
ADJECTIVES = 0.6


class Captioner:
    """Writes captions for emotions.

    Parameters
    ----------
    words : float
        Share of captions that name or paraphrase the emotion, in [0, 1].
    lexicon : dict, optional
        From :func:`load_lexicon`.
    """

    def __init__(self, words: float = 0.3, lexicon: dict[str, Lexicon] | None = None) -> None:
        self.words = words
        self.lexicon = load_lexicon() if lexicon is None else lexicon

    def describe(self, actions: list[str], rng: np.random.Generator) -> str:
        """String the wordings of some facial actions to one clause."""
        parts = [str(rng.choice(ACTIONS[a])) for a in actions]
        listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        opening = str(rng.choice(_OPENINGS))
        return opening.format(s=rng.choice(_SUBJECTS), a=listed)

    def sentence(self, actions: list[str], rng: np.random.Generator) -> str:
        """Say what some facial actions look like, as a caption of its own."""
        return _as_sentence(self.describe(actions, rng), rng)

    def actions(self, emotion: str, rng: np.random.Generator) -> list[str]:
        """Draw one to four facial actions that go with `emotion`."""
        chances = EMOTION_ACTIONS[emotion]
        drawn = [a for a, p in chances.items() if rng.random() < p]
        if not drawn:
            drawn = [max(chances, key=chances.__getitem__)]
        rng.shuffle(drawn)
        return drawn[:4]

    def name(self, emotion: str, rng: np.random.Generator) -> tuple[str, str]:
        """Write a clause that names `emotion`, by an adjective or by a noun: clause and word."""
        known = self.lexicon[emotion]
        subject = rng.choice(_SUBJECTS)
        if rng.random() < ADJECTIVES:
            word, grade = known.adjectives[rng.integers(len(known.adjectives))]
            # "very at ease", "completely in despair": most adverbs go with single words only.
            graded = word
            if " " not in word and rng.random() < 0.25:
                graded = f"{rng.choice(DEGREES[grade])} {word}"
            return str(rng.choice(_WORD_ADJECTIVE)).format(s=subject, w=graded), word
        word, _ = known.nouns[rng.integers(len(known.nouns))]
        return str(rng.choice(_WORD_NOUN)).format(s=subject, w=word), word

    def bare(self, emotion: str, rng: np.random.Generator) -> str:
        """Draw a word for `emotion`, alone, as somebody may type it."""
        known = self.lexicon[emotion]
        words = known.adjectives + known.nouns
        return words[rng.integers(len(words))][0]

    def paraphrase(self, emotion: str, rng: np.random.Generator) -> str:
        """Draw a clause that says what somebody who feels `emotion` feels."""
        return str(rng.choice(self.lexicon[emotion].paraphrases))

    def __call__(self, emotion: str, rng: np.random.Generator) -> Text:
        """Write one caption for `emotion`, a key of `EMOTION_ACTIONS`."""
        word, share = None, 1.0
        if rng.random() >= self.words:
            text = self.describe(self.actions(emotion, rng), rng)
        elif (kind := rng.random()) < BARE:
            text = self.bare(emotion, rng)
            return Text(text, text)
        else:
            if kind < BARE + PARAPHRASED:
                text = self.paraphrase(emotion, rng)
            else:
                text, word = self.name(emotion, rng)
            if rng.random() < 0.5:
                described = self.describe(self.actions(emotion, rng), rng)
                share = len(text) / (len(text) + len(described))
                text += ", " + described
        return Text(_as_sentence(text, rng), word, share)


def _as_sentence(text: str, rng: np.random.Generator) -> str:
    return text[0].upper() + text[1:] + ("." if rng.random() < 0.7 else "")
