"""MediaPipe's face landmark network: a 256 x 256 crop to 478 points and a presence score.

The network of the model card "MediaPipe Face Mesh V2" (Google, Apache-2.0), successor of
Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time" (2020). It has
no attention any more: a stem, seven stages of residual bottlenecks at 128 down to 2 pixels, and
linear heads. Batch norms are folded into the convolutions already, as they are in the file that it
was converted from.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["CROP_SIZE", "LANDMARKS", "FaceMesh", "LandmarkNetwork"]

CROP_SIZE = 256
"""Side of the network's input in pixels."""
LANDMARKS = 478
"""Points: 468 of the face mesh, then five for each iris, the subject's right one first."""

# A stage: channels and channels inside its bottlenecks. Every stage after the first halves the
# picture in its first block; each has four blocks besides.
_STAGES = ((16, 8), (32, 16), (64, 32), (128, 64), (128, 64), (128, 64), (128, 64))
_BLOCKS = 4
_LAST_SIDE = 2  # pixels after the last stage


class FaceMesh(NamedTuple):
    """What the network says of N crops.

    Attributes
    ----------
    points : Tensor, (N, 478, 3), float32
        x, y in pixels of the crop, pixel i covering [i, i + 1); z on the same scale, smaller
        towards the camera, 0 about the middle of the head.
    presence : Tensor, (N,), float32
        Probability that there is a face.
    """

    points: Tensor
    presence: Tensor


class LandmarkNetwork(nn.Module):
    """Crops to landmarks."""

    def __init__(self) -> None:
        super().__init__()
        before = _STAGES[0][0]
        self.stem = nn.Conv2d(3, before, 3, stride=2)
        self.stem_act = nn.PReLU(before)
        stages = []
        for i, (channels, inside) in enumerate(_STAGES):
            blocks = [_Block(before, inside, channels, stride=2)] if i else []
            blocks += [_Block(channels, inside, channels) for _ in range(_BLOCKS)]
            stages.append(nn.Sequential(*blocks))
            before = channels
        self.stages = nn.Sequential(*stages)
        self.presence = nn.Conv2d(before, 1, _LAST_SIDE)
        self.points = nn.Conv2d(before, 3 * LANDMARKS, _LAST_SIDE)

    def forward(self, crops: Tensor) -> FaceMesh:
        """Find the landmarks of crops.

        Parameters
        ----------
        crops : Tensor, (N, 3, 256, 256), float
            RGB in [0, 1].

        Returns
        -------
        FaceMesh
        """
        # TensorFlow's padding: with stride 2, an even picture is padded after its end only.
        x = self.stem_act(self.stem(F.pad(crops, (0, 1, 0, 1))))
        x = self.stages(x)
        points = self.points(x).flatten(1).unflatten(1, (LANDMARKS, 3))
        return FaceMesh(points.float(), self.presence(x).flatten().float().sigmoid())


class _Block(nn.Module):
    """A bottleneck beside a skip connection; with stride 2, the skip is a max-pooling."""

    def __init__(self, before: int, inside: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.reduce = nn.Conv2d(before, inside, stride, stride=stride)
        self.reduce_act = nn.PReLU(inside)
        self.depthwise = nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False)
        self.expand = nn.Conv2d(inside, after, 1)
        self.act = nn.PReLU(after)
        self.new_channels = after - before

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.depthwise(self.reduce_act(self.reduce(x))))
        if self.stride > 1:
            x = F.max_pool2d(x, self.stride)
        if self.new_channels:
            x = F.pad(x, (0, 0, 0, 0, 0, self.new_channels))
        return self.act(x + y)
