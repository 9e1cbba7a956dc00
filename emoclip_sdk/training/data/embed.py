"""Clips through a frozen image tower, frame by frame."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import ModelConfig
from ...faces import FaceShape
from ...faces.shapes import crop_shapes
from ...model import EmoCLIP
from ...runtime.worker_pool import WorkerPool
from ..engine.precision import Precision, product_dtype
from .datasets.clips import Clip
from .frames import (
    Augmentation,
    ClipCrops,
    FrameSelection,
    clip_rng,
    draw_transform,
    fill_gaps,
    read_clip_crops,
    warp,
)
from .shapes import shape_rows

__all__ = ["View", "embed_frames", "measure_frame_shapes"]

log = logging.getLogger(__name__)

_BATCH = 64  # pictures

Shapes = list[FaceShape | None]


@dataclass(frozen=True)
class View:
    """One of the fixed number of ways in which training sees a clip.

    View 0 is not augmented. View v has a transform of its own for each clip and begins at frame
    ``v mod stride``, so that all frames are seen though every `stride`-th is kept.

    Attributes
    ----------
    number : int
    augmentation : Augmentation
    seed : int
    """

    number: int
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0


def embed_frames(
    model: EmoCLIP,
    clips: Sequence[Clip],
    rows: Sequence[int],
    *,
    cropped: bool = True,
    view: View | None = None,
    workers: WorkerPool | None = None,
    precision: Precision = "fp32",
    pixels_alone: bool = False,
) -> Iterator[Tensor]:
    """Yield the frame embeddings (T, D) of some `rows` of `clips`, in that order.

    Parameters and results as in :func:`~emoclip_sdk.training.data.cache.frame_embeddings`. For a
    model with a shape stream, shapes are found in the frames; in crops, and for an augmented view,
    in the picture that the image tower sees.
    """
    in_frames = pixels_alone or _in_frames(cropped, view)
    config = _reading_config(model, shapes=_in_frames(cropped, view) and not pixels_alone)
    frame_rows: deque[list[int]] = deque()

    def pictures() -> Iterator[tuple[NDArray[np.uint8], Shapes]]:
        seen = _seen_clips(model, config, clips, rows, cropped, view, workers)
        for images, shapes, order in seen:
            frame_rows.append(order)
            yield images, shapes or [None] * len(images)

    def encode(batch: NDArray[np.uint8], shapes: Shapes) -> NDArray[np.float32]:
        if not in_frames and model.landmarker is not None:
            shapes = crop_shapes(model.landmarker, list(batch))
        return model.encoder.frames(batch, shapes, products=product_dtype(precision))

    for embeddings in _in_batches(encode, pictures(), model.encoder.width):
        yield _in_order(torch.from_numpy(embeddings), frame_rows.popleft())


def measure_frame_shapes(
    model: EmoCLIP,
    clips: Sequence[Clip],
    rows: Sequence[int],
    *,
    cropped: bool = True,
    view: View | None = None,
    workers: WorkerPool | None = None,
) -> Iterator[Tensor]:
    """Yield the shape features (T, F) of the frames that :func:`embed_frames` embeds.

    NaN where the face, or its shape, is not found. They are looked for where `embed_frames` does.

    Raises
    ------
    ValueError
        The model has no shape stream.
    """
    landmarker = model.landmarker
    if landmarker is None:
        raise ValueError("the model has no shape stream")
    in_frames = _in_frames(cropped, view)
    config = _reading_config(model, shapes=in_frames)
    seen = _seen_clips(model, config, clips, rows, cropped, view, workers)
    for images, shapes, order in seen:
        if not in_frames:
            shapes = crop_shapes(landmarker, list(images))
        yield _in_order(shape_rows(shapes or []), order)


def _in_frames(cropped: bool, view: View | None) -> bool:
    """Whether shapes are found in whole frames, by the reader, and not in crops."""
    return not cropped and (view is None or not view.number)


def _reading_config(model: EmoCLIP, *, shapes: bool) -> ModelConfig:
    """Return the configuration by which clips are read: without shapes where none are used."""
    return model.config if shapes else replace(model.config, shape=None, actions=None)


def _seen_clips(
    model: EmoCLIP,
    config: ModelConfig,
    clips: Sequence[Clip],
    rows: Sequence[int],
    cropped: bool,
    view: View | None,
    workers: WorkerPool | None,
) -> Iterator[tuple[NDArray[np.uint8], Shapes | None, list[int]]]:
    """Yield the distinct crops of each clip, their shapes, and which of them each frame shows."""
    selection = FrameSelection("rate")
    if view is not None:
        selection = FrameSelection("stride", phase=view.number % config.sampling.stride)
    selections = [(i, selection) for i in rows]
    crops = read_clip_crops(clips, config, selections, cropped=cropped, workers=workers)
    for i, clip in zip(rows, crops, strict=True):
        if clip.problem:
            log.warning("not used: %s", clip.problem)
        order = clip.rows if view is None else fill_gaps(clip.rows)
        yield _seen(model, clips[i], clip, view), clip.shapes, order


def _in_order(values: Tensor, order: list[int]) -> Tensor:
    """Return a row of `values` for each frame; NaN where it shows no face."""
    index = torch.tensor(order, dtype=torch.long)
    frames = values[index.clamp(min=0)]
    frames[index < 0] = float("nan")
    return frames


def _seen(model: EmoCLIP, clip: Clip, crops: ClipCrops, view: View | None) -> NDArray[np.uint8]:
    """Return the crops (N, S, S, 3) as a view shows them."""
    images = crops.images
    if view is not None and view.number and len(images):
        rng = clip_rng(view.seed, view.number, clip.id, "view")
        transform = draw_transform(rng, view.augmentation).expand(len(images), 2, 3)
        images = warp(images.to(model.encoder.device), transform)
        images = images.round().to(torch.uint8).cpu()
    return images.numpy()


def _in_batches(
    encode: Callable[[NDArray[np.uint8], Shapes], NDArray[np.float32]],
    clips: Iterable[tuple[NDArray[np.uint8], Shapes]],
    width: int,
) -> Iterator[NDArray[np.float32]]:
    """Embed clips of pictures (N, S, S, 3) to (N, `width`) each, in batches across clips.

    Every batch is full, the last one by blank pictures. What a picture's embedding is then depends
    on the picture alone: with batches of other sizes, other matrix kernels run, and the last bit
    would depend on which clips were in the cache already.
    """
    sizes: deque[int] = deque()
    waiting: list[NDArray[np.uint8]] = []
    shapes: Shapes = []
    ready = np.zeros((0, width), np.float32)
    for images, image_shapes in clips:
        sizes.append(len(images))
        if len(images):
            waiting.append(images)
            shapes += image_shapes
        if len(shapes) >= _BATCH:
            pictures = np.concatenate(waiting)
            full = len(shapes) - len(shapes) % _BATCH
            ready = np.concatenate([ready, encode(pictures[:full], shapes[:full])])
            waiting, shapes = [pictures[full:]], shapes[full:]
        while sizes and sizes[0] <= len(ready):
            size = sizes.popleft()
            yield ready[:size]
            ready = ready[size:]
    if n := len(shapes):
        pictures = np.concatenate(waiting)
        blank = np.zeros((_BATCH - n, *pictures.shape[1:]), np.uint8)
        shapes += [None] * len(blank)
        ready = np.concatenate([ready, encode(np.concatenate([pictures, blank]), shapes)[:n]])
    for size in sizes:
        yield ready[:size]
        ready = ready[size:]
