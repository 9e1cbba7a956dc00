"""MTCNN's three networks on small pictures of large frames.

Boxes are counted and put right as in facenet-pytorch. The levels of the picture pyramid are those
that the library would use on the full frame, without the finest ones unless small faces are asked
for: a face that is found at all is found where the library finds it on the full frame, at a tenth
of the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ..runtime.torch_state import isolated_build, isolated_inference
from .mtcnn_boxes import CELL, candidates, nms, regress, roi_crops, square
from .mtcnn_networks import FACTOR, THRESHOLDS, load_networks

__all__ = ["Cascade"]

_MIN_SIZE = 20  # pixels of the smallest face that the library detects
# The smallest face that is detected here: as a share of the picture's long side, and in pixels of
# the reduced picture; what is smaller there mostly is texture.
_MIN_SHARE = 1 / 16
_MIN_REDUCED_SIZE = 16
_BATCH_SIZE = 512  # candidates, which bounds the memory


class Cascade:
    """Proposes, refines and confirms faces.

    Parameters
    ----------
    device : str
        Where torch runs it.

    Raises
    ------
    ImportError
        facenet-pytorch is not installed, or its weights are not where they should be.
    """

    @isolated_build()
    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self._pnet, self._rnet, self._onet = load_networks(self.device)
        self.thresholds, self.factor = THRESHOLDS, FACTOR

    def detect(
        self, frames: Sequence[NDArray[np.uint8]], long_side: int, min_face: float | None = None
    ) -> list[NDArray[np.float64]]:
        """Find the faces of frames of one size.

        Parameters
        ----------
        frames : sequence of ndarray, shape (H, W, 3), uint8
        long_side : int
            Of the picture from which the candidates come, in pixels; larger where `min_face` needs
            it.
        min_face : float, optional
            Side in pixels of a frame's smallest face. None: about a sixteenth of its long side.

        Returns
        -------
        list of ndarray, shape (N, 9)
            For each frame x0, y0, x1, y1 in its pixels, the confidence, and the box that the last
            network has put right; the largest face first.
        """
        height, width = frames[0].shape[:2]
        scales = self._scales(height, width, long_side, min_face)
        if min_face is not None and scales:
            # The second network sees a face twice as large as the first one.
            long_side = max(long_side, math.ceil(2 * scales[0] * max(height, width)))
        with isolated_inference():
            small = torch.cat([_reduced(frame, long_side) for frame in frames])
            boxes, owners = self._propose(small, height, width, scales)
            boxes, owners = self._refine(small, height, width, boxes, owners)
            boxes, owners = self._confirm(frames, boxes, owners)
        rows = boxes.cpu().numpy().astype(np.float64)
        areas = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
        order = np.argsort(-areas, kind="stable")
        rows, owner = rows[order], owners.cpu().numpy()[order]
        return [rows[owner == i] for i in range(len(frames))]

    def follow(
        self, frames: Sequence[NDArray[np.uint8]], seeds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Look for faces where they are expected.

        Parameters
        ----------
        frames : sequence of ndarray, shape (H, W, 3), uint8
            One for each seed, all of one size.
        seeds : ndarray, shape (N, 4)
            What the last network would put right: the last four columns of :meth:`detect`, or
            something between two of them.

        Returns
        -------
        ndarray, shape (N, 9)
            As by :meth:`detect`. The confidence is 0 where nothing of a seed is in the frame.
        """
        rows = np.concatenate([seeds, np.zeros((len(seeds), 1)), seeds], axis=1)
        with isolated_inference():
            squares = torch.tensor(seeds, dtype=torch.float32, device=self.device)
            inside = _inside(squares, *frames[0].shape[:2])
            visible = inside.cpu().numpy()
            chosen = [frame for frame, seen in zip(frames, visible, strict=True) if seen]
            rows[visible] = self._run_onet(chosen, squares[inside]).cpu().numpy()
        return rows

    def _input(self, pixels: Tensor) -> Tensor:
        """Scale uint8 pictures as the networks expect them."""
        pixels = pixels.to(self.device).contiguous(memory_format=torch.channels_last)
        return (pixels.float() - 127.5) * 0.0078125

    def _propose(
        self, small: Tensor, height: int, width: int, scales: Sequence[float]
    ) -> tuple[Tensor, Tensor]:
        pictures = [Image.fromarray(rgb) for rgb in small.permute(0, 2, 3, 1).contiguous().numpy()]
        proposals, owners, levels = [], [], []
        for level, scale in enumerate(scales):
            size = (int(height * scale + 1), int(width * scale + 1))
            shifts, scores = self._pnet(self._input(_averaged(pictures, size)))
            boxes, places = candidates(shifts, scores, scale, self.thresholds[0])
            proposals.append(boxes)
            owners.append(places)
            levels.append(torch.full_like(places, level))
        if not proposals:
            empty = torch.zeros(0, 5, dtype=torch.float32, device=self.device)
            return empty, empty[:, 0].long()
        boxes, owner, level_of = torch.cat(proposals), torch.cat(owners), torch.cat(levels)
        keep = nms(boxes, owner * len(proposals) + level_of, 0.5)
        boxes, owner = boxes[keep], owner[keep]
        keep = nms(boxes, owner, 0.7)
        boxes, owner = boxes[keep], owner[keep]
        sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
        corners = boxes[:, :4] + boxes[:, 5:] * sides
        return square(torch.cat([corners, boxes[:, 4:5]], dim=1)), owner

    def _scales(
        self, height: int, width: int, long_side: int, min_face: float | None
    ) -> list[float]:
        """Levels of the library's pyramid, without those that are finer than is asked for."""
        scale = CELL / _MIN_SIZE
        if min_face is None:
            longest = max(height, width)
            finest = min(CELL / _MIN_REDUCED_SIZE * min(long_side, longest), CELL / _MIN_SHARE)
            skipped = max(round(math.log(scale * longest / finest) / -math.log(self.factor)), 0)
        else:  # the first level on which such a face fills the cell
            skipped = math.floor(math.log(scale * min_face / CELL) / -math.log(self.factor) + 1e-9)
        scale *= self.factor**skipped
        scales = []
        while min(height, width) * scale >= CELL:
            scales.append(scale)
            scale *= self.factor
        return scales

    def _refine(
        self, small: Tensor, height: int, width: int, boxes: Tensor, owner: Tensor
    ) -> tuple[Tensor, Tensor]:
        inside = _inside(boxes, height, width)
        regions, boxes, owner = _whole(boxes, height, width)[inside], boxes[inside], owner[inside]
        if not len(boxes):
            return boxes, owner
        across, down = small.shape[3] / width, small.shape[2] / height
        regions = regions * regions.new_tensor([across, down, across, down])
        shifts, scores = _in_batches(self._rnet, roi_crops(self._input(small), regions, owner, 24))
        good = scores > self.thresholds[1]
        boxes = torch.cat([boxes[good, :4], scores[good, None]], dim=1)
        owner, shifts = owner[good], shifts[good]
        keep = nms(boxes, owner, 0.7)
        return square(regress(boxes[keep], shifts[keep])), owner[keep]

    def _confirm(
        self, frames: Sequence[NDArray[np.uint8]], boxes: Tensor, owner: Tensor
    ) -> tuple[Tensor, Tensor]:
        inside = _inside(boxes, *frames[0].shape[:2])
        boxes, owner = boxes[inside], owner[inside]
        boxes = self._run_onet([frames[i] for i in owner.tolist()], boxes)
        good = boxes[:, 4] > self.thresholds[2]
        boxes, owner = boxes[good], owner[good]
        keep = nms(boxes, owner, 0.7, over_smaller=True)
        return boxes[keep], owner[keep]

    def _run_onet(self, frames: Sequence[NDArray[np.uint8]], boxes: Tensor) -> Tensor:
        """Put each box right on its own frame, by the third network; (N, 9), see `detect`."""
        if not len(boxes):
            return boxes.new_zeros(0, 9)
        crops = []
        regions = _whole(boxes, *frames[0].shape[:2]).int().tolist()
        for frame, (x0, y0, x1, y1) in zip(frames, regions, strict=True):
            crops.append(_resized(_channels_first(frame[y0:y1, x0:x1]), (48, 48)))
        batch = self._input(torch.cat(crops))
        shifts, scores = _in_batches(self._onet, batch)
        seeds = boxes[:, :4]
        return torch.cat([regress(seeds, shifts), scores[:, None], seeds], dim=1)


def _channels_first(rgb: NDArray[np.uint8]) -> Tensor:
    """View a picture (H, W, 3) as (1, 3, H, W); in memory the channels stay last."""
    writable = rgb if rgb.flags.writeable else rgb.copy()  # torch warns of the others
    return torch.from_numpy(writable).permute(2, 0, 1)[None]


def _resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize uint8 pictures (N, 3, H, W): ten times faster than torch does so with floats."""
    return interpolate(pixels, size=size, mode="bilinear", antialias=True)


def _whole(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return the pixels of boxes inside of the frame, as the library counts them: (N, 4)."""
    x0, y0, x1, y1 = boxes[:, :4].trunc().unbind(1)
    return torch.stack(
        [x0.clamp(min=1) - 1, y0.clamp(min=1) - 1, x1.clamp(max=width), y1.clamp(max=height)], dim=1
    )


def _inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return which boxes have a pixel inside of the frame: (N,) of bool."""
    x0, y0, x1, y1 = _whole(boxes, height, width).unbind(1)
    return (x1 > x0) & (y1 > y0)


def _in_batches(network: Any, crops: Tensor) -> list[Tensor]:
    parts = [network(part) for part in crops.split(_BATCH_SIZE)]
    return [torch.cat(values) for values in zip(*parts, strict=True)]


def _averaged(pictures: Sequence[Image.Image], size: tuple[int, int]) -> Tensor:
    """Resize pictures to (N, 3, H, W), uint8, by area averaging, as the library does.

    The first network is particular about it: with :func:`_resized`, boxes are further from those of
    the library.
    """
    levels = [np.asarray(p.resize(size[::-1], Image.Resampling.BOX)) for p in pictures]
    return torch.from_numpy(np.stack(levels)).permute(0, 3, 1, 2)


def _reduced(rgb: NDArray[np.uint8], long_side: int) -> Tensor:
    """Shrink a frame so that its long side is at most `long_side` pixels: (1, 3, h, w)."""
    height, width = rgb.shape[:2]
    factor = long_side / max(height, width)
    pixels = _channels_first(rgb)
    if factor >= 1:
        return pixels
    return _resized(pixels, (max(1, round(height * factor)), max(1, round(width * factor))))
