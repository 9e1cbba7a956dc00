"""From clips to frame embeddings: through the cache, or in full batches where nothing is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...model import EmoCLIP
from ..cache import FrameCache, frame_embeddings
from ..datasets import Clip
from ..frames import ClipCrops, Take, read_clips

__all__ = ["clip_frames"]

log = logging.getLogger(__name__)

_BATCH = 64


def clip_frames(
    model: EmoCLIP,
    clips: Sequence[Clip],
    cache: FrameCache | None = None,
    *,
    cropped: bool = True,
    workers: int = 0,
) -> list[NDArray[np.float32]]:
    """Embed the frames of clips one by one.

    Parameters
    ----------
    model : EmoCLIP
    clips : sequence of Clip
    cache : FrameCache, optional
        Where embeddings are kept.
    cropped : bool
        The frames are face crops already: no detector is run.
    workers : int
        Processes that read video.

    Returns
    -------
    list of ndarray, each (T, D)
        See :func:`~emoclip_sdk.training.cache.frame_embeddings`.
    """
    if cache is not None:
        return frame_embeddings(model, clips, cache, cropped=cropped, workers=workers)
    # Cached embeddings must not depend on their neighbours, so the cache fills clip by clip. Here
    # short clips share a batch, which makes a set of pictures several times faster.
    found: list[NDArray[np.float32]] = []
    waiting: list[ClipCrops] = []
    wanted = [(i, Take("rate")) for i in range(len(clips))]
    for crops in read_clips(clips, model.config, wanted, cropped=cropped, workers=workers):
        if crops.problem:
            log.warning("counted as wrong: %s", crops.problem)
        waiting.append(crops)
        if sum(len(item.images) for item in waiting) >= _BATCH:
            found += _embed(model, waiting)
            waiting = []
    return found + _embed(model, waiting)


def _embed(model: EmoCLIP, clips: Sequence[ClipCrops]) -> list[NDArray[np.float32]]:
    images = [item.images.numpy() for item in clips if not item.problem]
    distinct = model.encoder.frames(np.concatenate(images)) if images else np.zeros((0, 0))
    found, first = [], 0
    for item in clips:
        if item.problem:
            found.append(np.zeros((0, model.encoder.width), np.float32))
            continue
        rows = np.asarray(item.rows)
        frames = distinct[rows.clip(0) + first]
        frames[rows < 0] = np.nan
        found.append(frames)
        first += len(item.images)
    return found
