"""The paper's figures of merit, by torchmetrics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingDependencyError

if TYPE_CHECKING:
    import torch

__all__ = ["FIGURES", "decide", "figures_of_merit", "fill_undecided", "recalls"]

FIGURES = ("uar", "war", "f1", "auc")
"""The figures that :func:`figures_of_merit` returns, as fractions of 1."""


def recalls(
    predicted: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Compute what decisions alone tell.

    Parameters
    ----------
    predicted, labels : ndarray of int, (N,)
        Indices into `classes`. -1 in `predicted`: no decision (no face is found, or the clip
        can't be read), which is wrong whatever the label.

    Returns
    -------
    dict
        ``war``: weighted average recall, the accuracy. ``uar``: unweighted average recall, the
        mean of the recalls of those classes that occur among `labels`. ``n``; ``per_class`` with
        ``recall`` and ``n`` of each class (recall None where there is no clip); ``confusion``,
        counts with a row for each true class, without the clips that have no decision.
    """
    count = len(classes)
    confusion = (
        _functional()
        .multiclass_confusion_matrix(_decisions(predicted, count), _tensor(labels), count + 1)
        .numpy()[:count]
    )
    hits, occurs = confusion.diagonal(), confusion.sum(axis=1)
    # torchmetrics' macro recall would count a class that is predicted and never occurs as 0.
    recall = hits[occurs > 0] / occurs[occurs > 0]
    return {
        "war": float(hits.sum() / len(labels)),
        "uar": float(recall.mean()),
        "n": len(labels),
        "per_class": {
            name: {"recall": float(hit / n) if n else None, "n": int(n)}
            for name, hit, n in zip(classes, hits, occurs, strict=True)
        },
        "confusion": confusion[:, :count].tolist(),
    }


def decide(scores: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return the class of the largest score in each row of (N, C), -1 for a row with a NaN."""
    known = np.isfinite(scores).all(axis=1)
    return np.where(known, np.where(known[:, None], scores, 0).argmax(axis=1), -1)


def figures_of_merit(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Compute everything that scores tell.

    Parameters
    ----------
    scores : ndarray, (N, C)
        In [0, 1], higher for more of the class. A row of NaN is a clip without scores: it is
        wrong (see :func:`recalls`), and for the AUC all classes are alike on it.
    labels : ndarray of int, (N,)

    Returns
    -------
    dict
        What :func:`recalls` returns, and two means over the classes that occur: ``f1``, and
        ``auc``, the area under the ROC curve of each class against the rest (Table III). ``auc``
        is None where one class alone occurs: there is no rest.
    """
    functional, count = _functional(), len(classes)
    predicted = decide(scores)
    figures = recalls(predicted, labels, classes)
    occurs = np.bincount(labels, minlength=count) > 0
    f1 = functional.multiclass_f1_score(
        _decisions(predicted, count), _tensor(labels), count + 1, average="none"
    )
    figures["f1"] = float(f1.double().numpy()[:count][occurs].mean())
    figures["auc"] = None
    if occurs.sum() > 1:
        with warnings.catch_warnings():
            # "No positive samples": those classes are left out of the mean.
            warnings.simplefilter("ignore", UserWarning)
            area = functional.multiclass_auroc(
                _tensor(fill_undecided(scores)), _tensor(labels), count, average="none"
            )
        figures["auc"] = float(area.double().numpy()[occurs].mean())
    return figures


def fill_undecided(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return scores (N, C) with the same number for all classes in rows that hold a NaN."""
    known = np.isfinite(scores).all(axis=1, keepdims=True)
    return np.where(known, scores, 1 / scores.shape[1])


def _decisions(predicted: NDArray[np.integer[Any]], count: int) -> torch.Tensor:
    """Make "no decision" a class of its own, as torchmetrics knows none below 0."""
    return _tensor(np.where(predicted < 0, count, predicted))


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values))


def _functional() -> Any:
    try:
        import torchmetrics.functional.classification as functional
    except ImportError:
        raise MissingDependencyError("torchmetrics", "train", "Evaluation") from None
    return functional
