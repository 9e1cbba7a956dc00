"""The paper's figures of merit."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["recalls"]


def recalls(predicted: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, Any]:
    """Compute WAR and UAR.

    Parameters
    ----------
    predicted, labels : ndarray of int, (N,)
        Indices into `classes`.

    Returns
    -------
    dict
        ``war``: weighted average recall, the accuracy. ``uar``: unweighted average recall, the
        mean of the recalls of those classes that occur among `labels`. ``n``, and ``per_class``
        with ``recall`` and ``n`` of each class (recall None where there is no sample).
    """
    per_class: dict[str, Any] = {}
    for i, name in enumerate(classes):
        rows = labels == i
        count = int(rows.sum())
        recall = float((predicted[rows] == i).mean()) if count else None
        per_class[name] = {"recall": recall, "n": count}
    present = [c["recall"] for c in per_class.values() if c["recall"] is not None]
    return {
        "war": float((predicted == labels).mean()),
        "uar": float(np.mean(present)),
        "n": len(labels),
        "per_class": per_class,
    }
