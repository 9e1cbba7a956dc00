"""A few examples of the caller's own: how far labels should move towards them, honestly measured.

All embeddings here are of unit length. What tells the labels apart is, for the texts, each text
embedding minus the mean of all labels', and for the examples, each label's mean clip minus the mean
of all labels'. A weight blends the two; the part that all labels share stays that of the texts, so
scores remain comparable with those of labels that have no example.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..results.numbers import json_value
from ..results.tables import label_columns

__all__ = ["FewShotReport", "fit_prototypes"]

WEIGHTS = tuple(i / 10 for i in range(11))
REPEATS = 10
"""Cross-validations with other folds, whose mean counts: one alone depends on luck."""

Matrix = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FewShotReport:
    """What example clips are worth.

    Attributes
    ----------
    n : int
        Clips that were used.
    n_per_label : dict of str to int
    unusable : tuple of int
        Numbers of the videos that show no face or can't be read.
    text_accuracy : float
        Share of the clips that the texts alone recognize, among these labels.
    blended_accuracy : float
        The same with examples, by nested cross-validation: no clip has a part in choosing the
        weight or the examples by which it is judged.
    weight : float
        Share of the examples in what tells the labels apart. 0: the examples don't help, and
        nothing was changed.
    folds : int
        Parts of the cross-validation.
    """

    n: int
    n_per_label: dict[str, int]
    unusable: tuple[int, ...]
    text_accuracy: float
    blended_accuracy: float
    weight: float
    folds: int

    @property
    def gain(self) -> float:
        """What examples add to the accuracy. Among n clips, one clip is 1/n."""
        return self.blended_accuracy - self.text_accuracy

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {**{k: json_value(v) for k, v in vars(self).items()}, "gain": self.gain}

    def to_record(self) -> dict[str, Any]:
        """Return a flat row."""
        return {
            "n": self.n,
            "unusable": len(self.unusable),
            "text_accuracy": self.text_accuracy,
            "blended_accuracy": self.blended_accuracy,
            "gain": self.gain,
            "weight": self.weight,
            "folds": self.folds,
            **label_columns("n", self.n_per_label),
        }


def fit_prototypes(
    clips: NDArray[np.float32],
    labels: Sequence[str],
    texts: NDArray[np.float32],
    names: Sequence[str],
    *,
    folds: int = 5,
    seed: int = 0,
) -> tuple[FewShotReport, dict[str, NDArray[np.float32]]]:
    """Choose the weight of examples, and measure what it brings.

    Parameters
    ----------
    clips : ndarray, (N, D)
        Clip embeddings; NaN without a face.
    labels : sequence of str, (N,)
    texts : ndarray, (C, D)
        Embeddings of the labels' texts.
    names : sequence of str, (C,)

    Returns
    -------
    report : FewShotReport
    shifts : dict of str to ndarray (D,)
        What to add to each label's text embedding of unit length; empty at weight 0.

    Raises
    ------
    EmoCLIPError
        Fewer than two labels, three folds, or three usable clips of a label.
    """
    usable = np.isfinite(clips).all(axis=1)
    y = np.array([list(names).index(label) for label in labels], np.intp)[usable]
    counts = {name: int((y == i).sum()) for i, name in enumerate(names)}
    scarce = [f"{name} ({n})" for name, n in counts.items() if n < 3]
    if len(names) < 2 or folds < 3:
        raise EmoCLIPError("fitting takes at least two labels and three folds")
    if scarce:
        raise EmoCLIPError(
            f"fitting takes three clips with a face of each label; too few: {', '.join(scarce)}"
        )
    x = _unit(clips[usable].astype(np.float64))
    t = _unit(texts.astype(np.float64))
    rng = np.random.default_rng(seed)
    right = 0
    for _ in range(REPEATS):
        for train, test in _folds(y, folds, rng):
            weight = _best_weight(x[train], y[train], t, folds, rng)
            right += int(
                (_predict(x[test], t + _shift(x[train], y[train], t, weight)) == y[test]).sum()
            )
    text_accuracy = float((_predict(x, t) == y).mean())
    blended_accuracy = right / (REPEATS * len(y))
    weight = 0.0
    if blended_accuracy > text_accuracy:
        weight = float(np.mean([_best_weight(x, y, t, folds, rng) for _ in range(REPEATS)]))
    report = FewShotReport(
        len(y),
        counts,
        tuple(int(i) for i in np.flatnonzero(~usable)),
        text_accuracy,
        blended_accuracy,
        round(weight, 3),
        min(folds, min(counts.values())),
    )
    shift = _shift(x, y, t, report.weight).astype(np.float32)
    return report, dict(zip(names, shift, strict=True)) if report.weight else {}


def _shift(x: Matrix, y: NDArray[np.intp], t: Matrix, weight: float) -> Matrix:
    """Return what moves the texts (C, D) towards the examples (N, D), at equal scale."""
    means = np.stack([x[y == c].mean(axis=0) for c in range(len(t))])
    examples, texts = means - means.mean(axis=0), t - t.mean(axis=0)
    # Along what all clips or all texts share, examples would favor some labels whatever the clip.
    shared, _ = np.linalg.qr(np.stack([means.mean(axis=0), t.mean(axis=0)], axis=1))
    examples = examples - examples @ shared @ shared.T
    scale = np.linalg.norm(texts) / max(float(np.linalg.norm(examples)), 1e-12)
    return weight * (scale * examples - texts)


def _best_weight(
    x: Matrix, y: NDArray[np.intp], t: Matrix, folds: int, rng: np.random.Generator
) -> float:
    """Return the weight of most hits in a cross-validation, the smallest of several."""
    hits = np.zeros(len(WEIGHTS))
    for train, test in _folds(y, folds, rng):
        full = _shift(x[train], y[train], t, 1.0)
        for i, weight in enumerate(WEIGHTS):
            hits[i] += (_predict(x[test], t + weight * full) == y[test]).sum()
    return WEIGHTS[int(hits.argmax())]


def _folds(
    y: NDArray[np.intp], folds: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield training and test rows; each fold has its share of every label."""
    k = min(folds, int(np.bincount(y).min()))
    fold = np.empty(len(y), np.intp)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        fold[rows] = (np.arange(len(rows)) + rng.integers(k)) % k
    for i in range(k):
        yield np.flatnonzero(fold != i), np.flatnonzero(fold == i)


def _predict(x: Matrix, labels: Matrix) -> NDArray[np.intp]:
    return np.asarray((x @ _unit(labels).T).argmax(axis=1))


def _unit(vectors: Matrix) -> Matrix:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
