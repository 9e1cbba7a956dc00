"""From clips to frame embeddings, read by processes of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...model import EmoCLIP
from ...runtime.progress import ProgressOption
from ...runtime.worker_pool import WorkerPool
from ..data.cache import FrameCache, frame_embeddings
from ..data.datasets import Clip
from ..data.ferplus import Pictures

__all__ = ["clip_frames", "picture_clips"]


def clip_frames(
    model: EmoCLIP,
    clips: Sequence[Clip],
    cache: FrameCache | None = None,
    *,
    cropped: bool = True,
    workers: int = 0,
    progress: ProgressOption = None,
) -> list[NDArray[np.float32]]:
    """Embed the frames of clips, see :func:`~emoclip_sdk.training.data.cache.frame_embeddings`.

    Parameters
    ----------
    workers : int
        Processes that read video, started for these clips.
    """
    with WorkerPool(workers) as processes:
        return frame_embeddings(
            model, clips, cache, cropped=cropped, workers=processes, progress=progress
        )


def picture_clips(pictures: Pictures) -> list[Clip]:
    """Return every picture as a clip of one frame."""
    return [
        Clip(str(i), np.repeat(image[None, ..., None], 3, axis=3), int(label))
        for i, (image, label) in enumerate(zip(pictures.images, pictures.labels, strict=True))
    ]
