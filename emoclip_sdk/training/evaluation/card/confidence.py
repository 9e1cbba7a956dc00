"""Rows about confidence: are scores calibrated, and do they tell when no label fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....errors import MissingDependencyError
from ....inference.scorer import softmax_scores
from ..calibration import N_OFFERED, offered_subsets
from .rows import CardRow, EvaluatedSplit

__all__ = ["BINS", "abstention_row", "auroc", "calibration_error", "calibration_row"]

BINS = 15
"""Bins of equal width, as in Guo et al. 2017."""


def calibration_error(scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the expected calibration error of the best label (Guo et al. 2017, eq. 3).

    Scores (N, C) and labels (N,). The mean over `BINS` bins of |accuracy - score|, weighted by the
    number of clips in each.
    """
    functional = _torchmetrics()
    return float(
        functional.multiclass_calibration_error(
            torch.from_numpy(np.ascontiguousarray(scores)),
            torch.from_numpy(np.ascontiguousarray(labels)),
            num_classes=scores.shape[1],
            n_bins=BINS,
            norm="l1",
        )
    )


def auroc(confidence: NDArray[np.floating[Any]], inside: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve of telling `inside` by `confidence`, both (N,).

    None where all or none of them are inside.
    """
    if inside.all() or not inside.any():
        return None
    functional = _torchmetrics()
    return float(
        functional.binary_auroc(
            torch.from_numpy(np.ascontiguousarray(confidence)),
            torch.from_numpy(inside.astype(np.int64)),
        )
    )


def calibration_row(split: EvaluatedSplit) -> CardRow:
    """Measure the calibration that the checkpoint stores, and what it was before."""
    raw = softmax_scores(split.similarities, split.model.encoder.logit_scale)
    best = split.scores.max(axis=1)
    return CardRow(
        "calibration",
        "expected calibration error",
        {
            "ece": calibration_error(split.scores, split.labels),
            "ece before calibration": calibration_error(raw, split.labels),
        },
        {"ece": ("<=", 0.04)},
        len(split.labels),
        f"Best label of {len(split.classes)}, {BINS} bins of equal width, with the calibration "
        "that the checkpoint stores, which was fitted on validation pictures.",
        {
            "mean score of the best label": round(float(best.mean()), 4),
            "temperature": split.model.config.calibration.temperature,
        },
    )


def abstention_row(split: EvaluatedSplit) -> CardRow:
    """Measure whether the confidence tells clips of which none of the offered labels is right.

    :attr:`Prediction.confidence` is the best offered label's score while the model's own labels
    compete; these are the classes here, so it is the best score of the offered among all.
    """
    drawn = list(offered_subsets(split.scores, split.labels))
    confidence = np.concatenate([scores for scores, _ in drawn])
    inside = np.concatenate([offered for _, offered in drawn])
    areas = [area for subset in drawn if (area := auroc(*subset)) is not None]
    threshold = split.model.config.calibration.min_score
    refused = confidence < threshold
    how = (
        f"{len(drawn)} random sets of {N_OFFERED} of the {len(split.classes)} labels; the clips of "
        "all sets together, ranked by Prediction.confidence, those whose label is in the set "
        "against those whose label is not. The labels that are not offered compete unseen, and the "
        "true one is among them: for what none of the model's own labels names, expect less."
    )
    if set(split.model.labels) != set(split.classes):
        how += " The model's own labels are others, so its users' confidence differs from this."
    return CardRow(
        "abstention",
        "'none of these': AUROC",
        {"auroc": auroc(confidence, inside), "mean of the sets": float(np.mean(areas))},
        {"auroc": (">=", 0.75)},
        len(split.labels),
        how,
        {
            "min_score": threshold,
            "abstains where the label is not offered": _mean(refused[~inside]),
            "abstains where the label is offered": _mean(refused[inside]),
        },
    )


def _mean(values: NDArray[np.bool_]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


def _torchmetrics() -> Any:
    try:
        import torchmetrics.functional.classification as functional
    except ImportError:
        raise MissingDependencyError("torchmetrics", "train", "Evaluation") from None
    return functional
