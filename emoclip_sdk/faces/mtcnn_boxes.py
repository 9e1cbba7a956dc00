"""MTCNN's arithmetic of boxes, as facenet-pytorch counts pixels.

A box is a row x0, y0, x1, y1 in pixels and, where it says so, the confidence behind them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

__all__ = ["CELL", "candidates", "nms", "regress", "roi_crops", "square"]

CELL = 12
"""Pixels of a face as the first network sees it."""
_STRIDE = 2  # pixels between two such places
_BATCH_SIZE = 256  # boxes that are compared with all others, which bounds the memory


def candidates(
    shifts: Tensor, scores: Tensor, scale: float, threshold: float
) -> tuple[Tensor, Tensor]:
    """Return P-Net's candidates on one level of the pyramid.

    Returns
    -------
    rows : Tensor, (N, 9)
        Boxes, confidence, and how the network would shift their borders.
    pictures : Tensor, (N,)
    """
    picture, y, x = (scores >= threshold).nonzero(as_tuple=True)
    corner = _STRIDE * torch.stack([x, y], dim=1).to(scores) + 1
    first, last = (corner / scale).floor(), ((corner + CELL - 1) / scale).floor()
    confidence = scores[picture, y, x]
    return torch.cat([first, last, confidence[:, None], shifts[picture, :, y, x]], dim=1), picture


def regress(boxes: Tensor, shifts: Tensor) -> Tensor:
    """Move each border by `shifts` (N, 4), in lengths of the box; further columns stay."""
    lengths = (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)
    return torch.cat([boxes[:, :4] + shifts * lengths, boxes[:, 4:]], dim=1)


def square(boxes: Tensor) -> Tensor:
    """Widen the shorter side about the middle; further columns stay."""
    lengths = boxes[:, 2:4] - boxes[:, :2]
    side = lengths.amax(dim=1, keepdim=True)
    first = boxes[:, :2] + lengths * 0.5 - side * 0.5
    return torch.cat([first, first + side, boxes[:, 4:]], dim=1)


def nms(boxes: Tensor, group: Tensor, max_overlap: float, over_smaller: bool = False) -> Tensor:
    """Non-maximum suppression within each group, on boxes with their confidence.

    Returns
    -------
    Tensor, (K,), int64
        Rows that are kept, the most confident first: no two of a group overlap by more than
        `max_overlap`, as intersection over union, or with `over_smaller` over the smaller one: then
        no box lies in another, either.
    """
    rows = boxes[:, :5].cpu().numpy()
    groups = group.cpu().numpy()
    order = np.argsort(-rows[:, 4], kind="stable")
    good = np.ones(len(rows), dtype=bool)
    for one in np.unique(groups):
        mine = order[groups[order] == one]
        alive = np.ones(len(mine), dtype=bool)
        for start in range(0, len(mine), _BATCH_SIZE):
            behind = mine[start:]
            overlaps = _overlaps(rows[behind[:_BATCH_SIZE], :4], rows[behind, :4], over_smaller)
            for i, row in enumerate(overlaps):
                if alive[start + i]:
                    alive[start + i + 1 :] &= row[i + 1 :] <= max_overlap
        good[mine] = alive
    return torch.as_tensor(order[good[order]], device=boxes.device)


def _overlaps(
    ours: NDArray[np.float32], theirs: NDArray[np.float32], over_smaller: bool
) -> NDArray[np.float32]:
    """Return how much boxes (N, 4) and (M, 4) overlap: (N, M), see `nms`."""
    # The library counts a box's last pixels only where it compares with the smaller one.
    areas = [
        np.prod(boxes[:, 2:] - boxes[:, :2] + over_smaller, axis=1) for boxes in (ours, theirs)
    ]
    mine, other = areas[0][:, None], areas[1][None, :]
    last = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    first = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    shared = np.prod((last - first + over_smaller).clip(min=0), axis=2)
    whole = np.minimum(mine, other) if over_smaller else mine + other - shared
    overlaps: NDArray[np.float32] = shared / whole
    return overlaps


def roi_crops(pictures: Tensor, regions: Tensor, owner: Tensor, size: int) -> Tensor:
    """Cut regions (N, 4), in pixels, out of their pictures (M, 3, H, W): (N, 3, size, size).

    Each pixel is the mean of 2 x 2 points between which the picture is interpolated.
    """
    points = (torch.arange(2 * size, device=regions.device).to(regions) + 0.5) / (2 * size)
    extent = regions.new_tensor(pictures.shape[:1:-1])  # W, H
    start, end = regions[:, :2] / extent, regions[:, 2:] / extent
    # (N, 2, 2 * size), from -1 to 1 over the picture
    places = 2 * torch.lerp(start[:, :, None], end[:, :, None], points) - 1
    crops = pictures.new_empty((len(regions), 3, size, size))
    crops = crops.contiguous(memory_format=torch.channels_last)
    for i in owner.unique().tolist():
        mine = owner == i
        x, y = places[mine].unbind(1)
        n, k = x.shape
        grid = torch.stack([x[:, None].expand(n, k, k), y[:, :, None].expand(n, k, k)], dim=-1)
        sampled = grid_sample(
            pictures[i : i + 1],
            grid.reshape(1, n * k, k, 2),
            padding_mode="border",
            align_corners=False,
        )
        crops[mine] = avg_pool2d(sampled, 2)[0].unflatten(1, (n, size)).transpose(0, 1)
    return crops
