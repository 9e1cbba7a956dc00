"""The row about states of the prompt bank that no caption for training is about."""

from __future__ import annotations

import numpy as np

from ....inference.scorer import cosine_similarities
from ...data.states import held_out_states, state_votes
from .rows import CardRow, EvaluatedPictures

__all__ = ["states_row"]


def states_row(split: EvaluatedPictures) -> CardRow:
    """Measure how well states that nobody voted for rank the pictures that they fit.

    Each state says what annotators who know the classes alone would make of it; a picture fits it
    as far as its own votes are those.
    """
    classes, votes = split.classes, state_votes()
    names = [name for name in held_out_states() if set(votes[name]) <= set(classes)]
    given = np.array([[votes[name].get(label, 0) for label in classes] for name in names], float)
    fits = split.pictures.votes @ (given / given.sum(axis=1, keepdims=True)).T
    found = cosine_similarities(split.video, split.model.embed_labels(names)[0])
    rows = {
        name: round(float(np.corrcoef(one, other)[0, 1]), 4)
        for name, one, other in zip(names, found.T, fits.T, strict=True)
    }
    known = {name: r for name, r in rows.items() if np.isfinite(r)}
    return CardRow(
        "states",
        "states in no training caption: correlation with the votes",
        {"mean r": float(np.mean(list(known.values()))) if known else None},
        {},
        len(names),
        f"{len(names)} states of the prompt bank of which no caption of the recipe mini speaks, "
        "each by its descriptions and name: Pearson's r of its cosine with the pictures and the "
        "share of their votes that fits it, 0 by chance. Which votes fit a state was written by a "
        "language model (state_votes.yaml).",
        {"states": known},
    )
