"""From uint8 face crops to the image tower's input."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import ImageConfig

__all__ = ["luma", "preprocess"]


def luma(images: Tensor) -> Tensor:
    """Reduce RGB images (N, 3, H, W) to ITU-R BT.601 luma, repeated on three channels."""
    weights = images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)


def preprocess(crops: Tensor, config: ImageConfig) -> Tensor:
    """Turn crops into the image tower's input.

    Parameters
    ----------
    crops : Tensor of uint8, (N, S, S, 3)
        Square RGB crops of any side S.
    config : ImageConfig
        Size, color, mean and standard deviation.

    Returns
    -------
    Tensor, (N, 3, size, size), float32
        Resized, then normalized (the reference normalizes first, which differs only in rounding).
    """
    images = crops.permute(0, 3, 1, 2).to(torch.float32) / 255
    if config.color == "gray":
        images = luma(images)
    if images.shape[-1] != config.size or images.shape[-2] != config.size:
        shrink = images.shape[-1] > config.size
        images = F.interpolate(
            images, size=(config.size, config.size), mode="bilinear", antialias=shrink
        )
    mean = images.new_tensor(config.mean).view(1, 3, 1, 1)
    std = images.new_tensor(config.std).view(1, 3, 1, 1)
    return (images - mean) / std
