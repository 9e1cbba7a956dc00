"""Augmentation of batches of small face pictures, on tensors."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...config import ImageConfig

__all__ = ["augment"]


def augment(images: Tensor, config: ImageConfig, size: int) -> Tensor:
    """Draw a random view of each picture.

    Flip, rotation (15 degrees), scale, shift, brightness, contrast, gamma, loss of detail and a
    cut-out patch. Geometry is one affine map per picture, sampled at the output's resolution;
    outside the picture its border is repeated, as the video path does.

    Parameters
    ----------
    images : Tensor of uint8, (N, S, S)
        Gray pictures.
    config : ImageConfig
        Mean and standard deviation.
    size : int
        Side of the output.

    Returns
    -------
    Tensor, (N, 3, size, size)
    """
    n, device = len(images), images.device
    x = images[:, None].float() / 255

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(n, device=device).uniform_(low, high)

    def chance(share: float) -> Tensor:
        return torch.rand(n, device=device) < share

    # Loss of detail: what a distant face looks like in a video.
    blurred = F.interpolate(x, scale_factor=0.5, mode="area")
    blurred = F.interpolate(blurred, size=x.shape[-2:], mode="bilinear")
    x = torch.where(chance(0.15).view(-1, 1, 1, 1), blurred, x)

    angle = uniform(-15, 15) * math.pi / 180
    scale = torch.exp(uniform(-0.2, 0.18))
    stretch = torch.exp(uniform(-0.08, 0.08))
    flip = torch.where(chance(0.5), -1.0, 1.0)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack(
        [
            torch.stack([flip * scale * stretch * cos, -scale * sin, uniform(-0.18, 0.18)], 1),
            torch.stack([flip * scale * sin, scale / stretch * cos, uniform(-0.18, 0.18)], 1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, [n, 1, size, size], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    gain = uniform(0.7, 1.3).view(-1, 1, 1, 1)
    shift = uniform(-0.15, 0.15).view(-1, 1, 1, 1)
    gamma = torch.exp(uniform(-0.3, 0.3)).view(-1, 1, 1, 1)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = ((x - mean) * gain + mean + shift).clamp(1e-3, 1) ** gamma

    # Cut-out: a patch of up to 40 % of the side, in gray.
    at = torch.arange(size, device=device)

    def stretch_of_pixels() -> Tensor:
        length = uniform(0.15, 0.4) * size
        start = uniform(0, 1) * (size - length)
        return (at >= start[:, None]) & (at < (start + length)[:, None])

    patch = stretch_of_pixels()[:, :, None] & stretch_of_pixels()[:, None, :]
    patch &= chance(0.3).view(-1, 1, 1)
    x = torch.where(patch[:, None], uniform(0, 1).view(-1, 1, 1, 1), x)

    x = x.expand(-1, 3, -1, -1)
    mean3 = x.new_tensor(config.mean).view(1, 3, 1, 1)
    std3 = x.new_tensor(config.std).view(1, 3, 1, 1)
    return (x - mean3) / std3
