"""Labels against their absence: fitted on FER+'s votes, and measured on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ...checkpoints.reliability import MeasuredPresence
from ...errors import PromptError
from ...inference.scorer import cosine_similarities
from ...prompts.facial_actions import action_wordings
from .card.actions import ACTION_SENTENCES
from .card.confidence import BINS, auroc
from .card.rows import EvaluatedPictures
from .card.wording import SYNONYMS

__all__ = ["fit_curve", "measured_presence", "presence_error", "presence_figures"]

SHOWN = 0.3
"""A face shows what more than this share of the annotators named (Barsoum et al. 2016, sec. 3)."""

_RIDGE = 1e-3  # keeps the scale finite where similarities tell all pictures apart

Truth = Mapping[str, NDArray[np.bool_]]


def fit_curve(similarities: NDArray[np.float64], shown: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit scale and level of 1 / (1 + exp(level - scale · cosine)) by Newton's method (Platt 1999).

    Parameters
    ----------
    similarities : ndarray, any shape
    shown : ndarray of bool, the same shape
        Both kinds must occur.
    """
    x = np.stack([similarities.ravel(), -np.ones(similarities.size)])
    y = shown.ravel().astype(float)
    rate = float(y.mean())
    weights = np.array([0.0, -np.log(rate / (1 - rate))])
    for _ in range(100):
        p = 1 / (1 + np.exp(-weights @ x))
        hessian = (x * (p * (1 - p))) @ x.T + np.diag([_RIDGE, 1e-9])
        step = np.linalg.solve(hessian, x @ (y - p) - [_RIDGE * weights[0], 0])
        weights = weights + step * min(1.0, 20 / np.abs(step).max())
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), float(weights[1])


def measured_presence(split: EvaluatedPictures) -> tuple[MeasuredPresence, ...]:
    """Fit a curve for each class, one for other words, and one for words about facial actions.

    Other words have the curve of all classes together; actions that of the sentences of training.
    A class that no picture shows has none.
    """
    shown = _shown(split)
    names = [name for name in split.classes if _varies(shown[name])]
    columns = [split.classes.index(name) for name in names]
    similarities = split.similarities[:, columns]
    curves = [
        _curve("label", name, similarities[:, i], shown[name]) for i, name in enumerate(names)
    ]
    every = np.stack([shown[name] for name in names], axis=1)
    curves.append(_curve("words", "", similarities, every))
    sentences = _by_sentence(split, action_wordings())
    truth = {text: shown for text, shown in sentences.items() if _varies(shown)}
    if truth:
        found = cosine_similarities(split.video, split.model.embed_text(list(truth)))
        curves.append(_curve("actions", "", found, np.stack(list(truth.values()), axis=1)))
    return tuple(curves)


def _curve(
    kind: str, name: str, similarities: NDArray[np.float64], shown: NDArray[np.bool_]
) -> MeasuredPresence:
    scale, level = fit_curve(similarities, shown)
    return MeasuredPresence(kind, name, round(max(scale, 0.0), 4), round(level, 4))


def presence_figures(split: EvaluatedPictures) -> dict[str, Any]:
    """Measure the probabilities that users get with `multi_label`.

    Returns
    -------
    dict
        For each class, for all of them, for other words (synonyms that no caption of training
        has), and for sentences about facial actions, those of training and others: ``n`` of labels,
        ``shown`` (the share of pictures that show them), ``auc``, ``ece`` of all labels together,
        ``ece of a label`` (mean over labels) and ``brier``.
    """
    shown = _shown(split)
    synonyms: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    words = {word: name for name, listed in synonyms.items() if name in shown for word in listed}
    others: dict[str, list[str]] = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))
    groups: dict[str, Truth] = {name: {name: shown[name]} for name in split.classes}
    groups["the classes"] = shown
    groups["other words"] = {word: shown[name] for word, name in words.items()}
    groups["actions"] = _by_sentence(split, action_wordings())
    groups["actions, other words"] = _by_sentence(split, others)
    return {name: figures for name, truth in groups.items() if (figures := _figures(split, truth))}


def _figures(split: EvaluatedPictures, truth: Truth) -> dict[str, Any] | None:
    known = {
        label: shown
        for label, shown in truth.items()
        if _varies(shown) and _is_one_label(split, label)
    }
    if not known:
        return None
    # One by one, as some of them mean the same: other labels change no score.
    scorers = [split.model.scorer([label], "average", None, multi_label=True) for label in known]
    scores = np.concatenate([scorer.scores(split.video) for scorer in scorers], axis=1)
    shown = np.stack(list(known.values()), axis=1)
    pairs = list(zip(scores.T, shown.T, strict=True))
    areas = [area for pair in pairs if (area := auroc(*pair)) is not None]
    return {
        "n": len(known),
        "shown": round(float(shown.mean()), 4),
        "auc": round(float(np.mean(areas)), 4),
        "ece": round(presence_error(scores, shown), 4),
        "ece of a label": round(float(np.mean([presence_error(*pair) for pair in pairs])), 4),
        "brier": round(float(((scores - shown) ** 2).mean()), 4),
    }


def _is_one_label(split: EvaluatedPictures, text: str) -> bool:
    """Whether a text has a probability of its own: it is no compound, and no list of labels."""
    try:
        return split.model.embed_labels([text])[1][0].kind != "compound"
    except PromptError:
        return False


def presence_error(scores: NDArray[np.float64], shown: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of probabilities against what is shown, any shape.

    The mean over `BINS` bins of equal width of |share shown - mean probability|, weighted by the
    number in each.
    """
    scores, shown = scores.ravel(), shown.ravel()
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    gaps = np.bincount(bins, scores - shown, minlength=BINS)
    return float(np.abs(gaps).sum() / counts.sum())


def _shown(split: EvaluatedPictures) -> Truth:
    votes = split.pictures.votes
    return {name: votes[:, i] > SHOWN for i, name in enumerate(split.classes)}


def _by_sentence(split: EvaluatedPictures, sentences: Mapping[str, Sequence[str]]) -> Truth:
    shown = split.shown_actions
    known = {name: texts for name, texts in sentences.items() if name in shown}
    return {text: shown[name] for name, texts in known.items() for text in texts}


def _varies(shown: NDArray[np.bool_]) -> bool:
    return bool(shown.any() and not shown.all())
