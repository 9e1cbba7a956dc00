"""Augmentation of batches of small face pictures, on tensors."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import ImageConfig

__all__ = ["augment"]


def _uniform(n: int, low: float, high: float) -> Tensor:
    return torch.empty(n).uniform_(low, high)


def augment(images: Tensor, config: ImageConfig, size: int) -> Tensor:
    """Draw a random view of each picture.

    Flip, rotation (15 degrees), scale, shift, brightness, contrast, gamma, loss of detail and a
    cut-out patch. Geometry is one affine map per picture, sampled at the output's resolution;
    outside the picture its border is repeated, as the video path does.

    Parameters
    ----------
    images : Tensor of uint8, (N, S, S)
        Grey pictures.
    config : ImageConfig
        Mean and standard deviation.
    size : int
        Side of the output.

    Returns
    -------
    Tensor, (N, 3, size, size)
    """
    n = len(images)
    x = images[:, None].float() / 255

    # Loss of detail: what a distant face looks like in a video.
    blurred = F.interpolate(x, scale_factor=0.5, mode="area")
    blurred = F.interpolate(blurred, size=x.shape[-2:], mode="bilinear")
    x = torch.where((torch.rand(n) < 0.15).view(-1, 1, 1, 1), blurred, x)

    angle = _uniform(n, -15, 15) * math.pi / 180
    scale = torch.exp(_uniform(n, -0.2, 0.18))
    stretch = torch.exp(_uniform(n, -0.08, 0.08))
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack(
        [
            torch.stack([flip * scale * stretch * cos, -scale * sin, _uniform(n, -0.18, 0.18)], 1),
            torch.stack([flip * scale * sin, scale / stretch * cos, _uniform(n, -0.18, 0.18)], 1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, [n, 1, size, size], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    gain = _uniform(n, 0.7, 1.3).view(-1, 1, 1, 1)
    shift = _uniform(n, -0.15, 0.15).view(-1, 1, 1, 1)
    gamma = torch.exp(_uniform(n, -0.3, 0.3)).view(-1, 1, 1, 1)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = ((x - mean) * gain + mean + shift).clamp(1e-3, 1) ** gamma

    # Cut-out: a patch of up to 40 % of the side, in grey.
    for i in (torch.rand(n) < 0.3).nonzero().flatten().tolist():
        h, w = (int(size * s) for s in _uniform(2, 0.15, 0.4))
        top, left = int(torch.randint(size - h, ())), int(torch.randint(size - w, ()))
        x[i, :, top : top + h, left : left + w] = torch.rand(())

    x = x.expand(-1, 3, -1, -1)
    mean3 = x.new_tensor(config.mean).view(1, 3, 1, 1)
    std3 = x.new_tensor(config.std).view(1, 3, 1, 1)
    return (x - mean3) / std3
