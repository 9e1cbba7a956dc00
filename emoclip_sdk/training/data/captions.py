"""Captions for faces that come with votes or action units and without a sentence.

MAFW's captions say in one context-free clause what brows, eyes and mouth do. The captioner here
does the same: it draws facial actions of an emotion (:mod:`.facial_actions`) and joins a wording of
each. Most captions carry no emotion word, as in MAFW; the rest teach the words, which come from
``lexicon.yaml``: several hundred, so that the text tower meets the neighborhood of most words that
somebody could ask for. None shares a stem with the words of ``synonyms.yaml``, which an evaluation
asks for: its figure says what becomes of a word never met with a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...assets import package_file
from ...prompts.facial_actions import ACTIONS
from .corpus import Text
from .facial_actions import EMOTION_ACTIONS

__all__ = [
    "DEGREES",
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
BARE_SHARE = 0.2
PARAPHRASE_SHARE = 0.1
ADJECTIVE_SHARE = 0.6


class Captioner:
    """Writes captions for emotions.

    Parameters
    ----------
    words : float
        Share of captions that name or paraphrase the emotion, in [0, 1].
    lexicon : dict, optional
        From :func:`load_lexicon`.
    least_actions : int
        Facial actions that a clause about an emotion names at least, 1 or 2.
    """

    def __init__(
        self,
        words: float = 0.3,
        lexicon: dict[str, Lexicon] | None = None,
        least_actions: int = 1,
    ) -> None:
        self.words, self.least_actions = words, least_actions
        self.lexicon = load_lexicon() if lexicon is None else lexicon

    def describe(self, actions: list[str], rng: np.random.Generator) -> str:
        """Join the wordings of some facial actions into one clause."""
        parts = [str(rng.choice(ACTIONS[a])) for a in actions]
        listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        opening = str(rng.choice(_OPENINGS))
        return opening.format(s=rng.choice(_SUBJECTS), a=listed)

    def sentence(self, actions: list[str], rng: np.random.Generator) -> str:
        """Say what some facial actions look like, as a caption of its own."""
        return _as_sentence(self.describe(actions, rng), rng)

    def actions(self, emotion: str, rng: np.random.Generator) -> list[str]:
        """Draw up to four facial actions that go with `emotion`, `least_actions` at least."""
        chances = EMOTION_ACTIONS[emotion]
        drawn = [a for a, p in chances.items() if rng.random() < p]
        others = sorted(set(chances) - set(drawn), key=lambda name: -chances[name])
        drawn += others[: max(0, self.least_actions - len(drawn))]
        rng.shuffle(drawn)
        return drawn[:4]

    def name(self, emotion: str, rng: np.random.Generator) -> tuple[str, str]:
        """Write a clause that names `emotion`, by an adjective or by a noun: clause and word."""
        known = self.lexicon[emotion]
        subject = rng.choice(_SUBJECTS)
        if rng.random() < ADJECTIVE_SHARE:
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
        elif (kind := rng.random()) < BARE_SHARE:
            text = self.bare(emotion, rng)
            return Text(text, text)
        else:
            if kind < BARE_SHARE + PARAPHRASE_SHARE:
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
