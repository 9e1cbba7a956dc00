"""The network that tells one person's face from another's: dlib's face recognition ResNet.

The architecture is that of dlib's ``dnn_face_recognition_ex.cpp`` (D. E. King, Boost Software
License), a ResNet of 29 convolutions with half the filters of He et al.; so is the preparation of
pixels. Each affine layer is folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FACE_SIZE", "IDENTITY_WIDTH", "FaceIdentityNetwork"]

FACE_SIZE = 150
"""Side of the pictures in pixels."""
IDENTITY_WIDTH = 128

# Filters of each level, and its residual blocks. The first block of all levels but the first one
# halves the picture.
_LEVELS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
_MEAN = (122.782, 117.001, 104.298)  # RGB, over dlib's training set


class _Residual(nn.Module):
    """Two convolutions and a short cut, which is averaged down where they halve the picture."""

    def __init__(self, width_in: int, width: int, *, down: bool) -> None:
        super().__init__()
        self.down = down
        self.conv1 = nn.Conv2d(
            width_in, width, 3, stride=2 if down else 1, padding=0 if down else 1
        )
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of half the side with `down`, else of the same."""
        inner = self.conv2(F.relu(self.conv1(x)))
        short = F.avg_pool2d(x, 2) if self.down else x
        # Sizes and channels may differ by what zeros fill up, as dlib's `add_prev` does.
        channels, height, width = (
            max(a, b) for a, b in zip(inner.shape[1:], short.shape[1:], strict=True)
        )
        inner, short = (
            F.pad(t, (0, width - t.shape[3], 0, height - t.shape[2], 0, channels - t.shape[1]))
            for t in (inner, short)
        )
        return F.relu(inner + short)


class FaceIdentityNetwork(nn.Module):
    """Face pictures to vectors that lie close for one person, and apart for two.

    Takes (N, 3, 150, 150) float, RGB in [0, 255], aligned; returns (N, 128), not normalized. dlib
    was trained to have pairs of one person closer than 0.6, and others farther (Euclidean
    distance).
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        blocks, width_in = [], 32
        for level, (width, n) in enumerate(_LEVELS):
            for i in range(n):
                blocks.append(_Residual(width_in, width, down=i == 0 and level > 0))
                width_in = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width_in, IDENTITY_WIDTH, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.mean: Tensor

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """Yield the convolutions from input to output."""
        yield from (module for module in self.modules() if isinstance(module, nn.Conv2d))

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed faces."""
        x = F.relu(self.stem((pixels - self.mean) / 256))
        x = self.blocks(F.max_pool2d(x, 3, stride=2))
        return self.head(x.mean(dim=(2, 3)))
