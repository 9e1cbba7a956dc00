"""Figures of a leave-one-class-out experiment, from the decisions that it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
        The test split; its order is that of other measurements, so that draws can be compared.
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
    decisions: dict[str, str | None] = {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["per_class"]
        for row in rows.values():
            decisions |= row["decisions"]
        places = {name: i for i, name in enumerate(classes)} | {None: -1}
        decided = {clip: places[name] for clip, name in decisions.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: not the figures of a leave-one-class-out run ({error!r})"
        ) from error
    labels = np.array([clip.label or 0 for clip in clips])
    tested = {classes[label] for label in labels}
    left = [name for name in classes if name in tested - set(rows)]
    missing = {clip.id for clip in clips if classes[clip.label or 0] in rows} ^ set(decided)
    if missing:
        raise DatasetError(f"{path}: made on other test clips than those that are here")
    if left:
        raise DatasetError(
            f"{path}: leaves out {len(rows)} of {len(tested)} classes; {', '.join(left)} not done. "
            "Run 'emoclip-train loco' without loco.classes"
        )
    scores = np.full((len(clips), len(classes)), np.nan)
    for row, clip in zip(scores, clips, strict=True):
        if decided[clip.id] >= 0:
            row[:] = np.eye(len(classes))[decided[clip.id]]
    result = measure(scores, labels, classes, draws=draws, seed=seed)
    result["auc"] = None
    for part in (result["intervals"], result["bootstrap"]["draws"]):
        part.pop("auc", None)
    unusable = [clip.id for clip in clips if decided[clip.id] < 0]
    return {**result, "unusable": unusable, "overlap": None}
