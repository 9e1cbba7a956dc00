"""The row about classes that were never trained on: one model for each class left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ....checkpoints.folder import CONFIG_FILE
from ....config import ModelConfig
from ....errors import DatasetError
from ....inference.scorer import cosine_similarities
from ....model import EmoCLIP
from ...data.cache import pool_frames
from ...data.ferplus import Pictures
from ..frames import clip_frames, picture_clips
from ..prompts import class_vectors
from .rows import CardRow, EvaluatedPictures

__all__ = ["left_out_row"]

KEY = "left_out"


def left_out_row(split: EvaluatedPictures, folder: Path | None = None, *, where: str) -> CardRow:
    """Measure the recall of classes by models that never saw them.

    Parameters
    ----------
    split : EvaluatedPictures
    folder : Path, optional
        Holds one checkpoint folder for each class, under its name. None: what the checkpoint's
        own card says, see :func:`~emoclip_sdk.training.evaluation.card.write_card`.
    where : str
        Name of the split, to say whether the card's figures are of the same one.

    Raises
    ------
    DatasetError
        `folder` holds no such checkpoint.
    """
    if folder is None:
        return _stored(split, where)
    available = [name for name in split.classes if (folder / name / CONFIG_FILE).is_file()]
    if not available:
        raise DatasetError(
            f"{folder}: no checkpoint folder with the name of a class ({', '.join(split.classes)})"
        )
    per_class: dict[str, Any] = {}
    for name in available:
        rows = split.labels == split.classes.index(name)
        if rows.any():
            per_class[name] = _recall(folder / name, split, name)
    recalls = [row["recall"] for row in per_class.values()]
    missing = [name for name in split.classes if name not in available]
    how = (
        "Of each class the recall by a model that never saw a picture or caption of it, against "
        f"all {len(split.classes)} labels by their descriptions; the mean of the classes."
    )
    sides = {ModelConfig.from_json_file(folder / n / CONFIG_FILE).image.size for n in available}
    own = split.model.config.image.size
    if sides != {own}:
        seen = ", ".join(map(str, sorted(sides)))
        how += f" Those models see pictures of {seen} pixels, not of {own}."
    if missing:
        how += f" No model leaves out {', '.join(missing)}: the mean is of the others."
    return _row(per_class, float(np.mean(recalls)) if recalls else None, how, not missing)


def _recall(folder: Path, split: EvaluatedPictures, name: str) -> dict[str, Any]:
    model = EmoCLIP.from_pretrained(folder, device=split.model.encoder.device)
    rows = split.labels == split.classes.index(name)
    pictures = Pictures(split.pictures.images[rows], split.pictures.votes[rows], split.classes)
    video = pool_frames(model, clip_frames(model, picture_clips(pictures)))
    guessed = cosine_similarities(video, class_vectors(model, split.classes)).argmax(axis=1)
    decisions = Counter(split.classes[label] for label in guessed.tolist())
    return {
        "recall": round(decisions[name] / len(video), 4),
        "n": len(video),
        "taken for": dict(decisions.most_common()),
    }


def _stored(split: EvaluatedPictures, where: str) -> CardRow:
    card = split.model.config.info.get("card") or {}
    for name in dict.fromkeys((where, *card)):
        for row in card.get(name, {}).get("rows", ()):
            mean = row["values"].get("mean recall") if row.get("key") == KEY else None
            if mean is not None:
                how = f"{row['how']} Not measured now: from the checkpoint's card, split {name}."
                per_class = row.get("per_class", {})
                return _row(per_class, mean, how, len(per_class) == len(split.classes))
    return _row(
        {},
        None,
        "Needs one model for each class, trained without it (--loco DIR with a checkpoint folder "
        "for each class); none were given, and the checkpoint's card holds no such figures.",
        False,
    )


def _row(per_class: dict[str, Any], mean: float | None, how: str, complete: bool) -> CardRow:
    return CardRow(
        KEY,
        "recall of a class that was never trained on",
        {"mean recall": mean},
        {"mean recall": (">=", 0.40)},
        sum(row["n"] for row in per_class.values()) or None,
        how,
        {"complete": complete, "per_class": per_class},
    )
