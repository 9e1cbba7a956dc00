"""English for a text tower: WordNet's lemmas, glosses and examples, and what its words mean.

WordNet 3.0 comes as Debian's package ``wordnet-base`` (permissive license, see NOTICE).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DatasetError
from ...prompts import PromptBank

__all__ = [
    "WORDNET_DIR",
    "Text",
    "definitions",
    "feeling_words",
    "templated_texts",
    "wordnet_texts",
]

WORDNET_DIR = Path("/usr/share/wordnet")

# Lexicographer files (wnintro(5WN)) left out: names of animals, plants, food, places and things
# say nothing that a face could show, and they are half of all nouns.
_SKIPPED_NOUNS = {"05", "06", "13", "15", "17", "20", "21", "27"}


# Lexicographer files whose words can follow "a facial expression of" or stand before "face", and
# the verbs of emotion.
_FEELING_FILES = {"noun": {"07", "12", "26"}, "adj": {"00", "44"}, "verb": {"37"}}

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


@dataclass(frozen=True)
class Text:
    """A text for the text tower to read.

    Attributes
    ----------
    text : str
    word : str, optional
        The word in it that names a feeling or a look, if that is known.
    share : float
        How much of the text that word and its clause take, in [0, 1].
    """

    text: str
    word: str | None = None
    share: float = 1.0


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
            if line.startswith("  "):  # the license text at the top
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split()
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            clean = [re.sub(r"\([a-z]+\)$", "", word).replace("_", " ") for word in words]
            yield fields[1], clean, gloss.strip()


def wordnet_texts(folder: str | Path = WORDNET_DIR) -> list[Text]:
    """Read lemmas, definitions and example sentences, without duplicates, in file order.

    Raises
    ------
    DatasetError
        The folder has no WordNet data files.
    """
    texts: dict[str, Text] = {}
    for part in ("adj", "adv", "verb", "noun"):
        for file, words, gloss in _synsets(folder, part):
            # Names of people, battles and books begin with a capital.
            if part == "noun" and (file in _SKIPPED_NOUNS or words[0][0].isupper()):
                continue
            for word in words:
                texts.setdefault(word, Text(word, word))
            for phrase in gloss.split('; "'):
                if text := phrase.strip('"; '):
                    texts.setdefault(text, Text(text))
    return list(texts.values())


def definitions(folder: str | Path = WORDNET_DIR) -> dict[str, list[str]]:
    """Return what a dictionary says of the words that can name a feeling or a look.

    Returns
    -------
    dict
        Word in lower case to one line for each of its senses in those parts of WordNet: the word,
        its synonyms and the definition.
    """
    senses: dict[str, list[str]] = defaultdict(list)
    for part, files in _FEELING_FILES.items():
        for file, words, gloss in _synsets(folder, part):
            if file not in files:
                continue
            definition = gloss.split('; "')[0]
            for word in words:
                names = [word, *(other for other in words if other != word)]
                senses[word.lower()].append(f"{', '.join(names)}: {definition}")
    return dict(senses)


def feeling_words(folder: str | Path = WORDNET_DIR) -> dict[str, list[str]]:
    """Return the words that can name a look: ``{"noun": [...], "adj": [...]}``."""
    return {
        part: sorted(
            {
                word
                for file, words, _ in _synsets(folder, part)
                if file in _FEELING_FILES[part]
                for word in words
            }
        )
        for part in ("noun", "adj")
    }


def templated_texts(
    n: int, rng: np.random.Generator, folder: str | Path = WORDNET_DIR
) -> list[Text]:
    """Put WordNet's words for feelings, states and qualities into sentences about a face.

    The prompt bank's templates, which a user's label goes through, are among the sentences.
    """
    words = feeling_words(folder)
    bank = tuple(t.replace("{label}", "{}") for t in PromptBank.default().templates)
    kinds = (("noun", _NOUN_TEMPLATES + bank), ("adj", _ADJECTIVE_TEMPLATES + bank))
    texts = []
    for i in range(n):
        part, templates = kinds[i % 2]
        template = templates[rng.integers(len(templates))]
        word = words[part][rng.integers(len(words[part]))]
        texts.append(Text(template.format(word), word))
    return texts
