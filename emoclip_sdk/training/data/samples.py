"""Batches of clips, from the frame cache or decoded anew, in an order that can be resumed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

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
    ClipCrops,
    FrameSelection,
    clip_rng,
    draw_transform,
    fill_gaps,
    read_clip_crops,
    warp,
)

__all__ = ["CachedFrames", "ClipBatch", "ClipSource", "DecodedFrames"]

log = logging.getLogger(__name__)


# Clips whose pictures are transformed together: what a batch of 128 needs at once fills a GPU.
_TOGETHER = 8
# Clips that are tried in place of one that can't be used.
_SUBSTITUTES = 20


@dataclass(frozen=True)
class ClipBatch:
    """The clips of a step.

    Attributes
    ----------
    rows : list of int
        Rows of the clips, where one can't be used that of the clip in its place.
    part : callable
        Returns what the network takes for some of them, on the network's device: a slice of
        (B, T, D), (B, T, D + F) or (B, T, 3, size, size). A part of a batch needs the memory of
        this part only.
    """

    rows: list[int]
    part: Callable[[slice], Tensor]


class ClipSource(Protocol):
    """Where the clips of a plan come from."""

    left_out: dict[str, str]
    """Ids of clips that could not be used so far, and why."""

    def stream(self, plan: Plan) -> Iterator[ClipBatch]:
        """Yield the clips of each step of a plan."""
        ...


class CachedFrames:
    """Random windows over cached frame embeddings; batches are (B, T, D).

    Parameters
    ----------
    views : sequence of sequence of ndarray (T, D)
        For each view the frame embeddings of all clips; (T, D + F) with shape features behind
        them.
    ids : sequence of str
        Ids of the clips.
    n_frames, seed : int
    device : torch.device
    window : {"wrap", "inside"}
    left_out : dict of str to str, optional
        Clips that are not among these, and why.
    """

    def __init__(
        self,
        views: Sequence[Sequence[NDArray[np.floating[Any]]]],
        ids: Sequence[str],
        n_frames: int,
        seed: int,
        device: torch.device,
        window: Window = "wrap",
        left_out: dict[str, str] | None = None,
    ) -> None:
        self.left_out = left_out or {}
        # Half precision in memory too where nothing is lost: the cache rounds to it.
        self.views = [[_smallest(clip) for clip in view] for view in views]
        self.ids = ids
        self.n_frames = n_frames
        self.seed = seed
        self.device = device
        self.window = inside if window == "inside" else paper

    def stream(self, plan: Plan) -> Iterator[ClipBatch]:
        """Yield a random window of every clip of each step, (B, T, D)."""
        for epoch, rows in plan:
            clips = torch.stack([self._window(row, epoch) for row in rows])
            clips = clips.to(self.device, torch.float32, non_blocking=True)
            yield ClipBatch(rows, clips.__getitem__)

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
        self.left_out: dict[str, str] = {}

    def stream(self, plan: Plan) -> Iterator[ClipBatch]:
        """Yield the augmented pictures of each step, (B, T, 3, size, size).

        In place of a clip that can't be read, or shows no face in its window, stands another one,
        drawn from the seed, the epoch and the clip's id: a step has the same number of clips on
        every process, and a run that is gone on with draws the same ones.

        Raises
        ------
        DatasetError
            None of the clips that are tried in place of one can be used either.
        """
        selections = ((row, self._selection(row, epoch)) for epoch, rows in plan for row in rows)
        # The batch after this one is read while this one is computed.
        stream = self._read(selections, ahead=2 * plan.size)
        for epoch, rows in plan:
            used, crops = [], []
            for row in rows:
                clip = next(stream)
                if clip.problem:
                    row, clip = self._substitute(row, epoch, clip.problem)
                used.append(row)
                crops.append(clip.images[fill_gaps(clip.rows)].to(self.device, non_blocking=True))
            yield ClipBatch(used, partial(self._images, crops, epoch, used))

    def _read(
        self, selections: Iterable[tuple[int, FrameSelection]], ahead: int | None = None
    ) -> Iterator[ClipCrops]:
        return read_clip_crops(
            self.clips,
            self.config,
            selections,
            cropped=self.cropped,
            workers=self.workers,
            ahead=ahead,
        )

    def _substitute(self, row: int, epoch: int, problem: str) -> tuple[int, ClipCrops]:
        """Return another clip and its row."""
        rng = clip_rng(self.seed, epoch, self.clips[row].id, "substitute")
        for _ in range(_SUBSTITUTES):
            self._leave_out(row, problem)
            row = int(rng.integers(len(self.clips)))
            (clip,) = self._read([(row, self._selection(row, epoch))])
            if not clip.problem:
                return row, clip
            problem = clip.problem
        raise DatasetError(
            f"{problem}. So are {_SUBSTITUTES - 1} clips that were to stand in its place: 'emoclip-"
            "train check' lists what is wrong with the dataset"
        )

    def _leave_out(self, row: int, problem: str) -> None:
        if self.clips[row].id not in self.left_out:
            log.warning("not used: %s", problem)
        self.left_out[self.clips[row].id] = problem

    def _selection(self, row: int, epoch: int) -> FrameSelection:
        rng = clip_rng(self.seed, epoch, self.clips[row].id, "window")
        return FrameSelection(self.window, seed=int(rng.integers(2**62)))

    def _images(self, crops: list[Tensor], epoch: int, rows: list[int], part: slice) -> Tensor:
        """Transform and normalize (T, S, S, 3) clips of a batch, a few at a time."""
        n = len(crops[0])
        transforms = [
            draw_transform(
                clip_rng(self.seed, epoch, self.clips[row].id, "view"), self.augmentation
            ).expand(n, 2, 3)
            for row in rows[part]
        ]
        pictures = crops[part]
        size = self.config.image.size
        # Filled in place: a list of parts would be there a second time once it is joined.
        images = torch.empty(len(pictures), n, 3, size, size, device=self.device)
        for i in range(0, len(pictures), _TOGETHER):
            warped = warp(
                torch.cat(pictures[i : i + _TOGETHER]), torch.cat(transforms[i : i + _TOGETHER])
            )
            images[i : i + _TOGETHER] = preprocess(warped, self.config.image).unflatten(0, (-1, n))
        return images


def _smallest(frames: NDArray[np.floating[Any]]) -> Tensor:
    tensor = torch.from_numpy(frames)
    half = tensor.half()
    lossless = torch.allclose(half.to(tensor.dtype), tensor, rtol=0, atol=0, equal_nan=True)
    return half if lossless else tensor
