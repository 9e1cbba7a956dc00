"""Batches of clips, from the frame cache or decoded anew, in an order that can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import ModelConfig, Window
from ...errors import DatasetError
from ...nn import preprocess
from ...runtime.worker_pool import WorkerPool
from ...video import inside, paper
from ..engine.plan import Plan
from .datasets.clips import Clip
from .frames import (
    Augmentation,
    FrameSelection,
    clip_rng,
    draw_transform,
    fill_gaps,
    read_clip_crops,
    warp,
)

__all__ = ["CachedFrames", "ClipSource", "DecodedFrames"]


class ClipSource(Protocol):
    """Where the clips of a plan come from."""

    def stream(self, plan: Plan) -> Iterator[Tensor]:
        """Yield what the network takes for each step of a plan, on the network's device."""
        ...


class CachedFrames:
    """Random windows over cached frame embeddings; batches are (B, T, D).

    Parameters
    ----------
    views : sequence of sequence of ndarray (T, D)
        For each view the frame embeddings of all clips.
    ids : sequence of str
        Ids of the clips.
    n_frames, seed : int
    device : torch.device
    window : {"wrap", "inside"}
    """

    def __init__(
        self,
        views: Sequence[Sequence[NDArray[np.float32]]],
        ids: Sequence[str],
        n_frames: int,
        seed: int,
        device: torch.device,
        window: Window = "wrap",
    ) -> None:
        # Half precision in memory too where nothing is lost: the cache rounds to it.
        self.views = [[_smallest(clip) for clip in view] for view in views]
        self.ids = ids
        self.n_frames = n_frames
        self.seed = seed
        self.device = device
        self.window = inside if window == "inside" else paper

    def stream(self, plan: Plan) -> Iterator[Tensor]:
        """Yield a random window of every clip of each step, (B, T, D)."""
        for epoch, rows in plan:
            clips = torch.stack([self._window(row, epoch) for row in rows])
            yield clips.to(self.device, torch.float32, non_blocking=True)

    def _window(self, row: int, epoch: int) -> Tensor:
        rng = clip_rng(self.seed, epoch, self.ids[row], "window")
        frames = self.views[int(rng.integers(len(self.views)))][row]
        return frames[torch.from_numpy(self.window(len(frames), self.n_frames, 1, rng))]


class DecodedFrames:
    """Clips read anew in every epoch; batches are (B, T, 3, size, size), augmented.

    Parameters
    ----------
    clips : sequence of Clip
    config : ModelConfig
    cropped : bool
    augmentation : Augmentation
    seed : int
    workers : WorkerPool
    device : torch.device
        Where pictures are transformed: workers only decode.
    window : {"wrap", "inside"}
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        config: ModelConfig,
        *,
        cropped: bool,
        augmentation: Augmentation,
        seed: int,
        workers: WorkerPool,
        device: torch.device,
        window: Window = "wrap",
    ) -> None:
        self.clips = clips
        self.config = config
        self.cropped = cropped
        self.augmentation = augmentation
        self.seed = seed
        self.workers = workers
        self.device = device
        self.window: Window = window

    def stream(self, plan: Plan) -> Iterator[Tensor]:
        """Yield the augmented pictures of each step, (B, T, 3, size, size).

        Raises
        ------
        DatasetError
            A clip can't be read or shows no face.
        """
        selections = ((row, self._selection(row, epoch)) for epoch, rows in plan for row in rows)
        stream = read_clip_crops(
            self.clips, self.config, selections, cropped=self.cropped, workers=self.workers
        )
        for epoch, rows in plan:
            crops = []
            for _ in rows:
                clip = next(stream)
                if clip.problem:
                    raise DatasetError(
                        f"{clip.problem}. 'emoclip-train check' lists all such clips; repair them "
                        "or take them out of the list, and start the run again"
                    )
                crops.append(clip.images[fill_gaps(clip.rows)].to(self.device, non_blocking=True))
            yield self._images(crops, epoch, rows)

    def _selection(self, row: int, epoch: int) -> FrameSelection:
        rng = clip_rng(self.seed, epoch, self.clips[row].id, "window")
        return FrameSelection(self.window, seed=int(rng.integers(2**62)))

    def _images(self, crops: list[Tensor], epoch: int, rows: list[int]) -> Tensor:
        """Transform and normalize (T, S, S, 3) clips of a batch."""
        n = len(crops[0])
        transforms = [
            draw_transform(
                clip_rng(self.seed, epoch, self.clips[row].id, "view"), self.augmentation
            ).expand(n, 2, 3)
            for row in rows
        ]
        images = warp(torch.cat(crops), torch.cat(transforms))
        return preprocess(images, self.config.image).unflatten(0, (len(rows), n))


def _smallest(frames: NDArray[np.float32]) -> Tensor:
    tensor = torch.from_numpy(frames)
    half = tensor.half()
    return half if torch.equal(half.float(), tensor) else tensor
