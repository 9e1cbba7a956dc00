"""Rows about words: the bank's descriptions, other wordings, single words never trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ....assets import package_file
from ....errors import DatasetError
from ....inference.scorer import cosine_similarities
from ..evaluate import measure
from ..metrics import recalls
from ..prompts import class_vectors
from .rows import CardRow, EvaluatedSplit

__all__ = [
    "PARAPHRASES",
    "PHOTO",
    "SYNONYMS",
    "accuracy_row",
    "class_centers",
    "spread_row",
    "synonym_row",
]

LARGE = 15  # clips, below which the recall of a class says little

PHOTO = "a photo of a face that shows {label}"
"""The photo template. No training caption speaks of a photo."""

PARAPHRASES = package_file(__package__, "paraphrases.yaml")
SYNONYMS = package_file(__package__, "synonyms.yaml")
_SYNONYMS = "synonyms: the right class first"


def accuracy_row(split: EvaluatedSplit, *, draws: int = 1000, seed: int = 0) -> CardRow:
    """Measure WAR and UAR with the bank's descriptions; intervals by the bootstrap.

    A clip in which no face is seen counts as wrong.
    """
    scores = np.full((len(split.seen), len(split.classes)), np.nan)
    scores[split.seen] = split.scores
    figures = measure(scores, split.every_label, split.classes, draws=draws, seed=seed)
    values = {"war": figures["war"], "uar": figures["uar"]}
    counted = [row for row in figures["per_class"].values() if row["n"]]
    large = [row["recall"] for row in counted if row["n"] >= LARGE]
    if large and len(large) < len(counted):
        values[f"uar of the {len(large)} classes with {LARGE} clips and more"] = float(
            np.mean(large)
        )
    keep = ("f1", "auc", "intervals", "per_class", "confusion")
    return CardRow(
        "accuracy",
        "accuracy with the bank's descriptions",
        values,
        {"war": (">=", 0.84), "uar": (">=", 0.68)},
        figures["n"],
        "The class whose descriptions (mean of their text embeddings) are nearest by cosine. A "
        "picture is a clip of one frame; a clip in which no face is seen counts as wrong.",
        {**{key: figures[key] for key in keep}, "without a face": int((~split.seen).sum())},
    )


def spread_row(split: EvaluatedSplit, files: Sequence[Path] = ()) -> CardRow:
    """Measure how far WAR moves with the wording.

    Parameters
    ----------
    split : EvaluatedSplit
    files : sequence of Path
        Descriptions by others, YAML ``name: sentence``.
    """
    sets: dict[str, str | Path] = {
        "bank": "bank",
        "words": "words",
        PHOTO: PHOTO,
        "paraphrases": PARAPHRASES,
    }
    sets |= {path.name if path.name not in sets else str(path): path for path in files}
    by_prompts = {}
    for name, prompts in sets.items():
        try:
            text = class_vectors(split.model, split.classes, prompts)
        except DatasetError:
            if prompts != PARAPHRASES:  # which describe FER+'s classes alone
                raise
            continue
        predicted = cosine_similarities(split.video, text).argmax(axis=1)
        figures = recalls(predicted, split.labels, split.classes)
        by_prompts[name] = {key: round(figures[key], 4) for key in ("war", "uar")}
    wars = [row["war"] for row in by_prompts.values()]
    names = ", ".join(by_prompts)
    how = f"Largest WAR minus smallest over {len(by_prompts)} sets of prompts: {names}."
    if not files:
        how += (
            " A fifth, by others, belongs to it and was not given: --prompts-file FILE "
            "(YAML name: sentence)."
        )
    return CardRow(
        "wording",
        "spread of WAR over wordings",
        {"spread": max(wars) - min(wars), "lowest war": min(wars)},
        {"spread": ("<=", 0.02)},
        len(split.labels),
        how,
        {"sets": by_prompts},
    )


def synonym_row(split: EvaluatedSplit) -> CardRow:
    """Measure whether single words that no caption holds find the clips of their class.

    A word is embedded as a user's label: by the bank's descriptions where the bank knows it (alone
    or as an alias), else through the templates. It is right if, of all classes' centroids, it is
    nearest to that of its own class by cosine. A centroid is the mean of unit embeddings of the
    split's clips that have the label.
    """
    groups: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    seen = {split.classes[label] for label in np.unique(split.labels)}
    known = {name: words for name, words in groups.items() if name in seen}
    if not known:
        how = "There are words for FER+'s classes alone, and none of these occurs."
        details: dict[str, Any] = {"per_class": {}, "misses": {}}
        return CardRow("synonyms", _SYNONYMS, {"nearest clips": None}, {}, 0, how, details)
    words = [word for group in known.values() for word in group]
    truth = np.array([split.classes.index(name) for name, group in known.items() for _ in group])
    embedded = [split.model.embed_labels([word]) for word in words]
    vectors = np.concatenate([vector for vector, _ in embedded])
    texts = [label_texts[0] for _, label_texts in embedded]
    templates = split.model.prompts.templates
    filled = [text.replace("{label}", word) for word in words for text in templates]
    plain = split.model.embed_text(filled).reshape(len(words), len(templates), -1).mean(axis=1)
    centroids = class_centers(split)
    guessed = _nearest(vectors, centroids)
    right = guessed == truth
    own_name = np.array([text.name in split.classes for text in texts])
    in_bank = np.array([text.name is not None for text in texts])
    routes = {
        "the bank has it as a name of one of the classes": own_name,
        "the bank has it as another label": in_bank & ~own_name,
        "through the templates": ~in_bank,
    }
    return CardRow(
        "synonyms",
        _SYNONYMS,
        {
            "nearest clips": float(right.mean()),
            "nearest clips, templates only": float((_nearest(plain, centroids) == truth).mean()),
            "nearest descriptions": float((_nearest(vectors, split.text) == truth).mean()),
        },
        {"nearest clips": (">=", 0.85)},
        len(words),
        "Words for the classes that occur, which no training caption holds, embedded as a user's "
        "label would be; right if "
        "nearest (cosine) to the centroid of its class's clips. 'templates only': as if the prompt "
        "bank knew none of them. 'nearest descriptions': to the texts of the classes instead.",
        {
            "per_class": {
                name: round(float(right[truth == split.classes.index(name)].mean()), 4)
                for name in known
            },
            "routes": {
                name: {"n": int(mask.sum()), "right": _share(right[mask])}
                for name, mask in routes.items()
            },
            "misses": _misses(words, truth, guessed, split.classes),
        },
    )


def class_centers(split: EvaluatedSplit) -> NDArray[np.float64]:
    """Return the mean unit embedding of each class's clips, (C, D); NaN for a class without any."""
    unit = split.video / np.linalg.norm(split.video, axis=1, keepdims=True)
    out = np.full((len(split.classes), unit.shape[1]), np.nan)
    for label in np.unique(split.labels):
        out[label] = unit[split.labels == label].mean(axis=0)
    return out


def _nearest(vectors: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.intp]:
    similarities = cosine_similarities(vectors, targets)
    return np.where(np.isnan(similarities), -np.inf, similarities).argmax(axis=1)


def _misses(
    words: Sequence[str],
    truth: NDArray[np.intp],
    guessed: NDArray[np.intp],
    classes: Sequence[str],
) -> dict[str, dict[str, str]]:
    """Return by class the words that went elsewhere, and where to; most misses first."""
    count = Counter(truth[guessed != truth].tolist())
    return {
        classes[label]: {
            word: classes[to]
            for word, of, to in zip(words, truth, guessed, strict=True)
            if of == label and to != label
        }
        for label, _ in count.most_common()
    }


def _share(right: NDArray[np.bool_]) -> float | None:
    return round(float(right.mean()), 4) if len(right) else None
