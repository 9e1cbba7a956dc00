"""Figures of a leave-one-class-out experiment, from the decisions that it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import DatasetError
from ...data.datasets import Clip
from ...evaluation import measure

__all__ = ["left_out_figures"]


def left_out_figures(
    folder: Path,
    clips: Sequence[Clip],
    classes: tuple[str, ...],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure ``metrics.json`` of ``emoclip-train loco``.

    Each class was tested by a model that never saw it, against all labels.

    Parameters
    ----------
    folder : Path
    clips : sequence of Clip
        The test split, to be sure that the figures are about it.
    classes : tuple of str
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        See :func:`~emoclip_sdk.training.evaluation.measure_clips`; ``auc`` is None, because
        decisions alone are known, and no scores that could be ranked.

    Raises
    ------
    DatasetError
        The file can't be read, or is about other clips.
    """
    path = folder / "metrics.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["per_class"]
        decided = {name: (int(row["n"]), dict(row["taken for"])) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: not the figures of a leave-one-class-out run ({error!r})"
        ) from error
    counts = np.bincount([clip.label or 0 for clip in clips], minlength=len(classes))
    expected = {name: int(n) for name, n in zip(classes, counts, strict=True) if n}
    left = [name for name in expected if name not in decided]
    if left and all(expected.get(name) == n for name, (n, _) in decided.items()):
        raise DatasetError(
            f"{path}: leaves out {len(decided)} of {len(expected)} classes; {', '.join(left)} "
            "not done. Run 'emoclip-train loco' without loco.classes"
        )
    if {name: n for name, (n, _) in decided.items()} != expected:
        raise DatasetError(f"{path}: made on other test clips than those that are here")
    labels: list[int] = []
    scores: list[NDArray[np.float64]] = []
    for label, name in enumerate(classes):
        n, others = decided.get(name, (0, {}))
        decisions = [classes.index(other) for other, k in others.items() for _ in range(k)]
        one_hot = np.full((n, len(classes)), np.nan)
        one_hot[: len(decisions)] = np.eye(len(classes))[decisions]
        scores.append(one_hot)
        labels += [label] * n
    result = measure(np.concatenate(scores), np.array(labels), classes, draws=draws, seed=seed)
    result["auc"] = None
    for part in (result["intervals"], result["bootstrap"]["draws"]):
        part.pop("auc", None)
    return {**result, "unusable": [], "overlap": None}
