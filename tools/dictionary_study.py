"""How much a dictionary helps a sentence encoder to tell words for emotions apart.

Words of ``training/lexicon.yaml``, put into the prompt bank's templates, are embedded by the
teacher of the recipe `mini`; what it says of their WordNet definitions is added with different
weights (recipe key ``text.definitions``). A linear classifier tells which of the eight classes a
word belongs to: cross-validated over the lexicon, and trained on all of it, on the words of
``training/synonyms.yaml``. No face is involved. Needs the extra ``train`` and WordNet; a minute.

    python tools/dictionary_study.py
"""

from __future__ import annotations

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.training.captions import load_lexicon
from emoclip_sdk.training.corpus import definitions
from emoclip_sdk.training.distill import Teacher, load_teacher
from emoclip_sdk.training.evaluation.card.wording import SYNONYMS

WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def main() -> None:
    """Print a line for each weight."""
    teacher = load_teacher()
    lexicon = {
        word: name
        for name, known in load_lexicon().items()
        for word, _ in known.adjectives + known.nouns
    }
    asked: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    synonyms = {word: name for name, words in asked.items() for word in words}
    words = [*lexicon, *synonyms]
    classes = np.array([*lexicon.values(), *synonyms.values()])
    known = len(lexicon)
    texts = _templated(teacher, words)
    meanings, found = _meanings(teacher, words)
    print(f"{known} words, {found[:known].mean():.0%} of them in the dictionary;", end=" ")
    print(f"{len(synonyms)} other words, {found[known:].mean():.0%}")
    for weight in WEIGHTS:
        vectors = _unit(texts + weight * meanings)
        classifier = LogisticRegression(max_iter=2000, class_weight="balanced")
        within = cross_val_score(classifier, vectors[:known], classes[:known], cv=5).mean()
        classifier.fit(vectors[:known], classes[:known])
        others = classifier.score(vectors[known:], classes[known:])
        print(f"weight {weight}: lexicon {within:.3f} (5 folds), other words {others:.3f}")


def _templated(teacher: Teacher, words: list[str]) -> NDArray[np.float32]:
    templates = PromptBank.default().templates
    texts = [template.replace("{label}", word) for word in words for template in templates]
    return _unit(teacher(texts).reshape(len(words), len(templates), -1).mean(axis=1))


def _meanings(teacher: Teacher, words: list[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean of each word's definitions, (N, D), zero where there is none, and which."""
    senses = definitions()
    lines = [line for word in words for line in senses.get(word.lower(), [])]
    vectors = iter(teacher(lines))
    width = teacher(["a word"]).shape[1]
    means = np.zeros((len(words), width), np.float32)
    for row, word in zip(means, words, strict=True):
        if own := [next(vectors) for _ in senses.get(word.lower(), [])]:
            row[:] = np.mean(own, axis=0)
    found: NDArray[np.bool_] = np.any(means != 0, axis=1)
    return _unit(means), found


if __name__ == "__main__":
    main()
