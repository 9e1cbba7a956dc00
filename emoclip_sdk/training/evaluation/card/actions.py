"""The row about single facial actions in words, and what it is made of."""

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

__all__ = ["ACTION_SENTENCES", "OPPOSITES", "action_row", "measured_actions"]

ACTION_SENTENCES = package_file("emoclip_sdk.training.evaluation", "action_sentences.yaml")

OPPOSITES = (
    ("eyes_closed", "the eyes are closed", "eyes_open", "the eyes are open"),
    ("mouth_open", "the mouth is open", "mouth_closed", "the mouth is closed"),
    ("smile", "smiling", "no_smile", "not smiling"),
    ("eyes_up", "looking up", "eyes_down", "looking down"),
)
"""Pairs of which one is asked for against the other: an action and how a user puts it, twice."""


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


def action_row(split: EvaluatedPictures) -> CardRow:
    """Measure how well words about one facial action rank the pictures that show it."""
    actions, shows = measured_actions(split), split.shown_actions
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
            "opposites told apart": mean_known(pairs.values()),
        },
        {"auc, words that no caption uses": (">=", 0.80)},
        len(split.pictures),
        "How often a picture that shows an action is nearer to a sentence about it than one that "
        f"does not (area under the ROC curve, 0.5 by chance): mean over {len(actions)} actions, "
        "each sentence by itself. The landmark network says which pictures show an action: those "
        "where it is strongest, a quarter of all for most actions. So what that network does not "
        "see (a wrinkled nose, puffed cheeks) is not measured. Opposites: recall of either, "
        "averaged.",
        {
            "actions": {
                action.name: {"auc": action.auc, "other words": action.other_words}
                for action in actions
            },
            "opposites": pairs,
        },
    )


def _similarities(split: EvaluatedPictures, sentences: Iterable[str]) -> NDArray[np.float64]:
    return cosine_similarities(split.video, split.model.embed_text(list(sentences)))
