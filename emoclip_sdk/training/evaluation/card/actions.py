"""The row about single facial actions in words."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import yaml
from numpy.typing import NDArray

from ....assets import package_file
from ....inference.scorer import cosine_similarities
from ...data.measured_actions import facial_actions, wordings
from ...data.shapes import measure_shapes
from .confidence import auroc
from .rows import CardRow, EvaluatedSplit

__all__ = ["OPPOSITES", "OTHER_WORDS", "action_row"]

OTHER_WORDS = package_file(__package__, "action_words.yaml")

OPPOSITES = (
    ("eyes_closed", "the eyes are closed", "eyes_open", "the eyes are open"),
    ("mouth_open", "the mouth is open", "mouth_closed", "the mouth is closed"),
    ("smile", "smiling", "no_smile", "not smiling"),
    ("eyes_up", "looking up", "eyes_down", "looking down"),
)
"""Pairs of which one is asked for against the other: an action and how a user puts it, twice."""


def action_row(split: EvaluatedSplit) -> CardRow:
    """Measure how well words about one facial action rank the pictures that show it."""
    actions = facial_actions(measure_shapes(split.pictures.images))
    shows = actions.presence > 0.5
    other = yaml.safe_load(OTHER_WORDS.read_text(encoding="utf-8"))

    def column(name: str) -> NDArray[np.bool_]:
        return shows[:, actions.names.index(name)]

    def similarities(sentences: Iterable[str]) -> NDArray[np.float64]:
        return cosine_similarities(split.video, split.model.embed_text(list(sentences)))

    def auc(name: str, sentences: Iterable[str]) -> float | None:
        return _mean(auroc(score, column(name)) for score in similarities(sentences).T)

    trained = {name: auc(name, wordings()[name]) for name in other}
    unseen = {name: auc(name, words) for name, words in other.items()}
    pairs = {}
    for first, text, second, opposite in OPPOSITES:
        one, two = similarities([text, opposite]).T
        right = [(one > two)[column(first)], (two > one)[column(second)]]
        if all(map(len, right)):
            pairs[f"{text} / {opposite}"] = float(np.mean([part.mean() for part in right]))
    return CardRow(
        "actions",
        "single facial actions in words",
        {
            "auc": _mean(trained.values()),
            "auc, words that no caption uses": _mean(unseen.values()),
            "opposites told apart": _mean(pairs.values()),
        },
        {"auc, words that no caption uses": (">=", 0.80)},
        len(split.pictures),
        f"How often a picture that shows an action is nearer to a sentence about it than one that "
        f"does not (area under the ROC curve, 0.5 by chance): mean over {len(other)} actions, each "
        "sentence by itself. The landmark network says which pictures show an action: those where "
        "it is strongest, a quarter of all for most actions. So what the network does not see (a "
        "wrinkled nose, puffed cheeks) is not measured. Opposites: recall of either, averaged.",
        {
            "actions": {
                name: {"auc": _rounded(trained[name]), "other words": _rounded(unseen[name])}
                for name in other
            },
            "opposites": {pair: _rounded(value) for pair, value in pairs.items()},
        },
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
