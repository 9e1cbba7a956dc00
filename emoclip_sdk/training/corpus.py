"""English for a text tower: WordNet's lemmas, glosses and examples.

WordNet 3.0 comes as Debian's package ``wordnet-base`` (permissive licence, see NOTICE).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import DatasetError

__all__ = ["WORDNET_DIR", "feeling_words", "templated_texts", "wordnet_texts"]

WORDNET_DIR = Path("/usr/share/wordnet")

# Lexicographer files (wnintro(5WN)) left out: names of animals, plants, food, places and things
# say nothing that a face could show, and they are half of all nouns.
_SKIPPED_NOUNS = {"05", "06", "13", "15", "17", "20", "21", "27"}


# Lexicographer files whose words can follow "a facial expression of" or stand before "face".
_FEELING_FILES = {"noun": {"07", "12", "26"}, "adj": {"00", "44"}}

_NOUN_TEMPLATES = (
    "a facial expression of {}",
    "a face that shows {}",
    "a look of {}",
    "{}",
    "the emotion {}",
    "a photo of a person showing {}",
    "someone who feels {}",
    "an expression of {} on the face",
)
_ADJECTIVE_TEMPLATES = (
    "a {} face",
    "a person who looks {}",
    "a {} expression",
    "feeling {}",
    "someone looks {}",
    "a photo of a {} person",
    "she seems {}",
    "a {} look in the eyes",
)


def _synsets(folder: str | Path, part: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield lexicographer file, words and gloss of every synset of a part of speech."""
    path = Path(folder) / f"data.{part}"
    if not path.is_file():
        raise DatasetError(
            f"{path}: no such file. WordNet 3.0 is needed: apt-get install wordnet-base, or "
            "name the folder that holds its data.* files"
        )
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("  "):  # the licence text at the top
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split()
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            clean = [re.sub(r"\([a-z]+\)$", "", word).replace("_", " ") for word in words]
            yield fields[1], clean, gloss.strip()


def wordnet_texts(folder: str | Path = WORDNET_DIR) -> list[str]:
    """Read lemmas, definitions and example sentences, without duplicates, in file order.

    Raises
    ------
    DatasetError
        The folder has no WordNet data files.
    """
    texts: dict[str, None] = {}
    for part in ("adj", "adv", "verb", "noun"):
        for file, words, gloss in _synsets(folder, part):
            # Names of people, battles and books begin with a capital.
            if part == "noun" and (file in _SKIPPED_NOUNS or words[0][0].isupper()):
                continue
            definition, *examples = gloss.split('; "')
            for text in (*words, definition, *examples):
                texts[text.strip('"; ')] = None
    return [text for text in texts if text]


def feeling_words(folder: str | Path = WORDNET_DIR) -> dict[str, list[str]]:
    """Return the words that can name a look: ``{"noun": [...], "adj": [...]}``."""
    return {
        part: sorted({w for f, words, _ in _synsets(folder, part) if f in files for w in words})
        for part, files in _FEELING_FILES.items()
    }


def templated_texts(
    n: int, rng: np.random.Generator, folder: str | Path = WORDNET_DIR
) -> list[str]:
    """Put WordNet's words for feelings, states and qualities into sentences about a face."""
    words = feeling_words(folder)
    kinds = (("noun", _NOUN_TEMPLATES), ("adj", _ADJECTIVE_TEMPLATES))
    texts = []
    for i in range(n):
        part, templates = kinds[i % 2]
        texts.append(str(rng.choice(templates)).format(rng.choice(words[part])))
    return texts
