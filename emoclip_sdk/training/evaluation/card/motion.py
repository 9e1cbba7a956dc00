"""The row about time: an expression that lasts a quarter of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....inference.scorer import cosine_similarities
from ..metrics import recalls
from ..pooling import FrameMode, clip_embeddings
from ..sequences import CALM, picture_sequences
from .rows import CardRow, EvaluatedPictures

__all__ = ["motion_row"]

LENGTH, APEX = 16, 4  # frames: 2.3 s at 7 a second, of which 0.6 s are expressive


def motion_row(split: EvaluatedPictures, count: int = 480, seed: int = 0) -> CardRow:
    """Compare the temporal module with the mean of frames on `count` clips made of pictures.

    See :func:`~emoclip_sdk.training.evaluation.sequences.picture_sequences`. Their frames go
    through the image tower like those of any video.
    """
    sequences = picture_sequences(split.pictures, count, length=LENGTH, apex=APEX, seed=seed)
    embedded = split.model.embed_crops(sequences.crops)
    frames = list(embedded.reshape(len(sequences.labels), LENGTH, -1))
    moved = sequences.expressive.any(axis=1)
    modes: tuple[FrameMode, ...] = ("temporal", "mean")
    neutral = split.classes.index("neutral")
    figures: dict[str, dict[str, Any]] = {}
    for mode in modes:
        video = clip_embeddings(split.model, frames, mode)
        predicted = cosine_similarities(video, split.text).argmax(axis=1)
        right = predicted == sequences.labels
        measured = recalls(predicted, sequences.labels, split.classes)
        figures[mode] = {
            "war": round(measured["war"], 4),
            "uar": round(measured["uar"], 4),
            "right on expressive clips": _mean(right[moved]),
            "right on clips at rest": _mean(right[~moved]),
            "expressive clips called neutral": _mean((predicted == neutral)[moved]),
            "per_class": measured["per_class"],
        }
    wars: dict[str, float] = {mode: figures[mode]["war"] for mode in modes}
    return CardRow(
        "temporal",
        "temporal module against mean of frames",
        {"gain in war": wars["temporal"] - wars["mean"], **wars},
        {"gain in war": (">=", 0.10)},
        len(sequences.labels),
        f"Clips of {LENGTH} frames made of pictures of the split, in its own proportions: "
        f"{int(moved.sum())} show an expression in {APEX} consecutive frames and another face at "
        f"rest (more than {CALM:.0%} of votes) in the others, {int((~moved).sum())} are neutral "
        "throughout. Every frame is a light random view that goes through the image tower. They "
        "are no videos: the face changes with the expression.",
        {"frames": figures, "seed": seed},
    )


def _mean(values: NDArray[np.bool_]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
