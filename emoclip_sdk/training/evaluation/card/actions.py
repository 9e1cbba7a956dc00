"""The row about facial actions in words, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import yaml
from numpy.typing import NDArray

from ....assets import package_file
from ....checkpoints.reliability import MeasuredAction
from ....inference.scorer import cosine_similarities
from ....prompts.facial_actions import action_wordings
from .confidence import auroc
from .rows import CardRow, EvaluatedPictures, mean_known

__all__ = ["ACTION_SENTENCES", "OPPOSITES", "action_row", "described_actions", "measured_actions"]

ACTION_SENTENCES = package_file("emoclip_sdk.training.evaluation", "action_sentences.yaml")

OPPOSITES = (
    ("eyes_closed", "the eyes are closed", "eyes_open", "the eyes are open"),
    ("mouth_open", "the mouth is open", "mouth_closed", "the mouth is closed"),
    ("smile", "smiling", "no_smile", "not smiling"),
    ("eyes_up", "looking up", "eyes_down", "looking down"),
)
"""Pairs of which one is asked for against the other: an action and how a user puts it, twice."""

DESCRIPTIONS = 120
"""Of two to four actions at once."""
_SHOWN_BY = 12  # pictures at least, or a description says too little
_TRIES = 100  # sets of actions to draw for each description; few occur together


def measured_actions(split: EvaluatedPictures) -> tuple[MeasuredAction, ...]:
    """Measure how well sentences about single facial actions rank the pictures that show them.

    Each sentence by itself: those of the training captions, and others of `ACTION_SENTENCES`. An
    action that no picture shows, or each, or that the landmark network does not see, is left out.
    """
    shows = split.shown_actions
    sentences: dict[str, list[str]] = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))
    figures = []
    for name, other in sentences.items():
        if name not in shows:
            continue
        trained, unseen = (
            mean_known(auroc(scores, shows[name]) for scores in _similarities(split, texts).T)
            for texts in (action_wordings()[name], other)
        )
        if trained is not None and unseen is not None:
            n = len(split.pictures)
            figures.append(MeasuredAction(name, round(trained, 4), round(unseen, 4), n))
    return tuple(figures)


def described_actions(split: EvaluatedPictures, seed: int = 0) -> list[tuple[str, float]]:
    """Measure how well descriptions of several actions rank the pictures that show all of them.

    Two to four sentences of `ACTION_SENTENCES` in a row: texts and areas under the ROC curve, as
    many as there are, `DESCRIPTIONS` at most.
    """
    shows, rng = split.shown_actions, np.random.default_rng(seed)
    sentences: dict[str, list[str]] = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))
    known = [name for name in sentences if name in shows]
    texts, truth = [], []
    for _ in range(_TRIES * DESCRIPTIONS if len(known) > 1 else 0):
        chosen = rng.choice(known, min(int(rng.integers(2, 5)), len(known)), replace=False)
        shown = np.all([shows[name] for name in chosen], axis=0)
        if shown.sum() < _SHOWN_BY:
            continue
        *first, last = (str(rng.choice(sentences[name])) for name in chosen)
        texts.append(f"{', '.join(first)} and {last}")
        truth.append(shown)
        if len(texts) == DESCRIPTIONS:
            break
    if not texts:
        return []
    scores = _similarities(split, texts)
    areas = [auroc(column, shown) for column, shown in zip(scores.T, truth, strict=True)]
    return [(text, area) for text, area in zip(texts, areas, strict=True) if area is not None]


def action_row(split: EvaluatedPictures) -> CardRow:
    """Measure how well words about facial actions rank the pictures that show them."""
    actions, shows = measured_actions(split), split.shown_actions
    described = described_actions(split)
    pairs = {}
    for first, text, second, opposite in OPPOSITES:
        one, two = _similarities(split, [text, opposite]).T
        right = [(one > two)[shows[first]], (two > one)[shows[second]]]
        if all(map(len, right)):
            pairs[f"{text} / {opposite}"] = round(float(np.mean([r.mean() for r in right])), 4)
    return CardRow(
        "actions",
        "single facial actions in words",
        {
            "auc": mean_known(action.auc for action in actions),
            "auc, words that no caption uses": mean_known(action.other_words for action in actions),
            "auc, two to four at once": mean_known(area for _, area in described),
            "opposites told apart": mean_known(pairs.values()),
        },
        {"auc, words that no caption uses": (">=", 0.80)},
        len(split.pictures),
        "How often a picture that shows an action is nearer to a sentence about it than one that "
        f"does not (area under the ROC curve, 0.5 by chance): mean over {len(actions)} actions, "
        "each sentence by itself. The landmark network says which pictures show an action: those "
        "where it is strongest, a quarter of all for most actions. So what that network does not "
        "see (a wrinkled nose, puffed cheeks) is not measured. Two to four at once: "
        f"{len(described)} descriptions, each of two to four of the other words in a row, and the "
        "pictures that show all of it. Opposites: recall of either, averaged.",
        {
            "actions": {
                action.name: {"auc": action.auc, "other words": action.other_words}
                for action in actions
            },
            "descriptions": {text: round(area, 4) for text, area in described},
            "opposites": pairs,
        },
    )


def _similarities(split: EvaluatedPictures, sentences: Iterable[str]) -> NDArray[np.float64]:
    return cosine_similarities(split.video, split.model.embed_text(list(sentences)))
