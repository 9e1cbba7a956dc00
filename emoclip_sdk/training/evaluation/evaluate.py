"""Zero-shot evaluation of any model on any labeled clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ...inference.scorer import cosine_similarities, softmax_scores
from ...model import EmoCLIP
from ...prompts import CompoundMode
from ...runtime.progress import ProgressOption
from ..data.cache import FrameCache
from ..data.datasets import Clip
from ..data.ferplus import Pictures
from ..data.trained_on import Overlap
from .bootstrap import LEVEL, bootstrap_draws, intervals
from .frames import clip_frames, picture_clips
from .groups import Attributes, group_figures
from .metrics import FIGURES, figures_of_merit
from .pooling import FrameMode, clip_embeddings
from .prompts import class_vectors

__all__ = [
    "evaluate_clips",
    "evaluate_pictures",
    "labeled",
    "measure",
    "measure_clips",
    "score_clips",
    "zero_shot_scores",
]


def evaluate_clips(
    model: EmoCLIP,
    clips: Sequence[Clip],
    classes: Sequence[str],
    *,
    attributes: Attributes | None = None,
    overlap: Overlap | None = None,
    draws: int = 1000,
    seed: int = 0,
    **how: Any,
) -> dict[str, Any]:
    """Classify labeled clips zero-shot and measure the outcome.

    Parameters
    ----------
    model, classes
        See :func:`score_clips`.
    clips : sequence of Clip
        Those without a label are passed over.
    attributes, overlap, draws, seed
        See :func:`measure_clips`; `overlap` is about the clips that have a label.
    **how
        ``prompts``, ``frames``, ``compound``, ``one_text``, ``cropped``, ``cache`` and ``workers``
        of :func:`score_clips`.

    Returns
    -------
    dict
        See :func:`measure_clips`.

    Raises
    ------
    DatasetError
        No clip has a label, or none can be used; a class has no text.
    """
    clips = labeled(clips)
    scores = score_clips(model, clips, classes, **how)
    return measure_clips(
        scores, clips, classes, attributes=attributes, overlap=overlap, draws=draws, seed=seed
    )


def score_clips(
    model: EmoCLIP,
    clips: Sequence[Clip],
    classes: Sequence[str],
    *,
    prompts: str | Path = "bank",
    frames: FrameMode = "temporal",
    compound: CompoundMode = "average",
    one_text: bool = False,
    cropped: bool = True,
    cache: FrameCache | None = None,
    workers: int = 0,
    progress: ProgressOption = None,
) -> NDArray[np.float64]:
    """Score clips zero-shot.

    Parameters
    ----------
    model : EmoCLIP
    clips : sequence of Clip
    classes : sequence of str
    prompts : str or Path
        See :func:`class_bank`.
    frames : {"temporal", "mean", "middle"}
        See :func:`clip_embeddings`.
    compound : {"average", "concatenate"}
        See :func:`class_vectors`.
    one_text : bool
        See :func:`class_bank`.
    cropped : bool
        The frames are face crops already: no detector is run.
    cache : FrameCache, optional
        Where frame embeddings are kept.
    workers : int
        Processes that decode.
    progress : bool or callable, optional
        Told how many clips are embedded.

    Returns
    -------
    ndarray, (N, C)
        In [0, 1]; NaN for a clip that shows no face or can't be read.

    Raises
    ------
    DatasetError
        A class has no text.
    """
    vectors = class_vectors(model, classes, prompts, compound, one_text=one_text)
    embedded = clip_frames(model, clips, cache, cropped=cropped, workers=workers, progress=progress)
    return zero_shot_scores(model, clip_embeddings(model, embedded, frames), vectors)


def zero_shot_scores(
    model: EmoCLIP, video: NDArray[np.float32], text: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the scores of eq. 1 (N, C) of embeddings (N, D) and (C, D); NaN stays NaN."""
    scale = model.encoder.logit_scale / model.config.calibration.temperature
    return softmax_scores(cosine_similarities(video, text), scale)


def labeled(clips: Sequence[Clip]) -> list[Clip]:
    """Return the clips that have a label.

    Raises
    ------
    DatasetError
        There is none.
    """
    labeled_clips = [clip for clip in clips if clip.label is not None]
    if not labeled_clips:
        raise DatasetError("no clip of the split has a label: there is nothing to compare with")
    return labeled_clips


def measure_clips(
    scores: NDArray[np.floating[Any]],
    clips: Sequence[Clip],
    classes: Sequence[str],
    *,
    attributes: Attributes | None = None,
    overlap: Overlap | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute all figures of scored clips.

    Parameters
    ----------
    scores : ndarray, (N, C)
        In [0, 1]; a row of NaN is a clip that shows no face or can't be read. It counts as wrong:
        leaving hard clips out would flatter.
    clips : sequence of Clip
        All with a label.
    classes : sequence of str
    attributes : Attributes, optional
        Measure their groups as well.
    overlap : Overlap, optional
        Which clips the model has met (:meth:`TrainedOn.overlap`). None: it isn't known.
    draws, seed : int
        Of the bootstrap; 0 draws: no intervals.

    Returns
    -------
    dict
        What :func:`measure` returns; ``unusable``, the ids of the clips without scores;
        ``overlap``, None where it isn't known, else ``n``, the number of clips that were met in
        training, ``selection``, of those by which the epoch was chosen, and ``without``, what
        :func:`measure` returns without them (None: nothing to leave out, or nothing left).
        With `attributes`, ``groups`` and ``gaps`` (see
        :func:`group_figures`).

    Raises
    ------
    DatasetError
        No clip can be used.
    """
    usable = np.isfinite(scores).all(axis=1)
    if not usable.any():
        raise DatasetError(
            f"none of {len(clips)} clips can be used: each one can't be read or shows no face. "
            "The log says why; emoclip-train check looks at the whole dataset"
        )
    labels = np.array([clip.label for clip in clips])
    result = measure(scores, labels, classes, draws=draws, seed=seed)
    result["unusable"] = [clip.id for clip, use in zip(clips, usable, strict=True) if not use]
    result["overlap"] = None
    if overlap is not None:
        without, left_out = None, overlap.left_out
        if left_out.any() and usable[~left_out].any():
            kept = ~left_out
            without = measure(scores[kept], labels[kept], classes, draws=draws, seed=seed)
        result["overlap"] = {
            "n": int(overlap.training.sum()),
            "selection": int(overlap.selection.sum()),
            "without": without,
        }
    if attributes is not None:
        result["groups"], result["gaps"] = group_figures(
            scores, labels, clips, classes, attributes, draws=draws, seed=seed
        )
    return result


def measure(
    scores: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    classes: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute the figures of scores and their intervals.

    Returns
    -------
    dict
        What :func:`figures_of_merit` returns; ``intervals``; ``bootstrap``, which says how they
        were made and keeps the ``draws`` of each figure.
    """
    figures = figures_of_merit(scores, labels, classes)
    with_auc = figures["auc"] is not None
    drawn = bootstrap_draws(scores, labels, draws=draws, seed=seed, auc=with_auc)
    return {
        **{key: figures[key] for key in (*FIGURES, "n")},
        "intervals": intervals(drawn),
        "per_class": figures["per_class"],
        "confusion": figures["confusion"],
        "bootstrap": {
            "level": LEVEL,
            "seed": seed,
            "draws": {key: values.round(5).tolist() for key, values in drawn.items()},
        },
    }


def evaluate_pictures(
    model: EmoCLIP, pictures: Pictures, prompts: str | Path = "bank"
) -> dict[str, Any]:
    """Classify FER+'s pictures, each as a clip of one frame.

    Returns
    -------
    dict
        What :func:`~emoclip_sdk.training.evaluation.recalls` returns.
    """
    figures = evaluate_clips(
        model, picture_clips(pictures), pictures.classes, prompts=prompts, draws=0
    )
    return {key: figures[key] for key in ("war", "uar", "n", "per_class", "confusion")}
