"""The row about states of the prompt bank that no caption for training is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....inference.scorer import cosine_similarities
from ...data.states import held_out_states, state_votes
from .rows import CardRow, EvaluatedPictures

__all__ = ["states_row"]

OFFERED, SETS, CLEAR = 5, 300, 0.2
"""States that are offered together, how many such sets, and by how much a picture fits the best of
them more than any other to count."""


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
    right, frequent, counted = _best_of_five(found, fits)
    known = {name: r for name, r in rows.items() if np.isfinite(r)}
    return CardRow(
        "states",
        "states in no training caption: correlation with the votes",
        {
            "mean r": float(np.mean(list(known.values()))) if known else None,
            f"best of {OFFERED}": right,
            "the most frequent of them": frequent,
        },
        {},
        len(names),
        f"{len(names)} states of the prompt bank of which no caption of the recipe mini speaks, "
        "each by its descriptions and name: Pearson's r of its cosine with the pictures and the "
        "share of their votes that fits it, 0 by chance. Which votes fit a state was written by a "
        f"language model (state_votes.yaml). Best of {OFFERED}: of {SETS} random sets of {OFFERED} "
        f"states, of which {counted} could be counted, how often the state that a picture's votes "
        f"fit best, by {CLEAR} or more, is the nearest one, and how often it is the one that fits "
        "most of the pictures.",
        {"states": known},
    )


def _best_of_five(
    found: NDArray[np.float64], fits: NDArray[np.float64]
) -> tuple[float | None, float | None, int]:
    """Return how often the best state is found, is the most frequent one, and in how many sets."""
    rng = np.random.default_rng(0)
    right, frequent = [], []
    for _ in range(SETS):
        offered = rng.choice(fits.shape[1], OFFERED, replace=False)
        fit = fits[:, offered]
        ordered = np.sort(fit, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] >= CLEAR
        if not clear.any():
            continue
        best = fit[clear].argmax(axis=1)
        right.append(float((found[clear][:, offered].argmax(axis=1) == best).mean()))
        frequent.append(float(np.bincount(best).max() / len(best)))
    if not right:
        return None, None, 0
    return float(np.mean(right)), float(np.mean(frequent)), len(right)
