"""How much a dictionary helps a sentence encoder to tell words for emotions apart.

Words of ``training/lexicon.yaml``, put into the prompt bank's templates, are embedded by the
teacher of the recipe `mini`; what it says of their WordNet definitions is added with different
weights (recipe key ``text.definitions``). A linear classifier tells which of the eight classes a
word belongs to: cross-validated over the lexicon, and trained on all of it, on the words of
``training/synonyms.yaml``. No face is involved. Needs the extra ``train`` and WordNet; a minute.

    python tools/dictionary_study.py [TEACHER]

TEACHER is a sentence encoder's folder or name, as in the recipe key ``text.teacher``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import normalize

from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.training.data.captions import load_lexicon
from emoclip_sdk.training.data.corpus import WORDNET_DIR, Text
from emoclip_sdk.training.engine.settings import OptimSettings
from emoclip_sdk.training.evaluation.card.wording import SYNONYMS
from emoclip_sdk.training.mini.distill import teacher_targets
from emoclip_sdk.training.mini.settings import TextSettings
from emoclip_sdk.training.mini.teacher import KeptTeacher, load_teacher

WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)


def main() -> None:
    """Print a line for each weight."""
    lexicon = {
        word: name
        for name, known in load_lexicon().items()
        for word, _ in known.adjectives + known.nouns
    }
    questions: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    synonyms = {word: name for name, words in questions.items() for word in words}
    words = [*lexicon, *synonyms]
    classes = np.array([*lexicon.values(), *synonyms.values()])
    known = len(lexicon)
    templates = PromptBank.default().templates
    texts = [Text(t.replace("{label}", word), word) for word in words for t in templates]
    print(f"{known} words of the lexicon, {len(synonyms)} other words")
    name = sys.argv[1] if len(sys.argv) > 1 else TextSettings(OptimSettings()).teacher
    with tempfile.TemporaryDirectory() as folder:
        teacher = KeptTeacher(lambda: load_teacher(name), Path(folder))
        for weight in WEIGHTS:
            settings = TextSettings(OptimSettings(), wordnet=str(WORDNET_DIR), definitions=weight)
            read = teacher_targets(texts, teacher, settings)
            vectors = normalize(read.reshape(len(words), len(templates), -1).mean(axis=1))
            classifier = LogisticRegression(max_iter=2000, class_weight="balanced")
            within = cross_val_score(classifier, vectors[:known], classes[:known], cv=5).mean()
            classifier.fit(vectors[:known], classes[:known])
            others = classifier.score(vectors[known:], classes[known:])
            print(f"weight {weight}: lexicon {within:.3f} (5 folds), other words {others:.3f}")


if __name__ == "__main__":
    main()
