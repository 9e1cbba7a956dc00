"""MediaPipe's face landmark network: a 256 x 256 crop to 478 points and a presence score.

The network of the model card "MediaPipe Face Mesh V2" (Google, Apache-2.0), successor of
Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time" (2020). It has
no attention any more: a stem, seven stages of residual bottlenecks at 128 down to 2 pixels, and
linear heads. Batch norms are folded into the convolutions already, as they are in the file that it
was converted from.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
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

# The first stages take few crops at once, whose large maps stay in the processor's cache; the
# others take more, because each operator on a small map costs more to call than to compute.
_WIDE_STAGES, _WIDE_BATCH, _BATCH = 3, 4, 16
_ROW = 2048  # numbers in a row of an operation that goes element by element


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
    """Crops to landmarks; for inference only.

    Maps lie in memory as (H, W, N, C): all crops of a pixel side by side. A 1 x 1 convolution then
    is a linear layer, and a depthwise convolution of N crops with C channels is one of a single
    crop with N * C channels: 8 channels alone would leave most of a processor's vector units idle.
    """

    def __init__(self) -> None:
        super().__init__()
        before = _STAGES[0][0]
        self.stem = nn.Conv2d(3, before, 3, stride=2, bias=False)
        self.stem_act = _BiasPReLU(before)
        stages = []
        for i, (channels, inside) in enumerate(_STAGES):
            blocks = [_Block(before, inside, channels, stride=2)] if i else []
            blocks += [_Block(channels, inside, channels) for _ in range(_BLOCKS)]
            stages.append(nn.Sequential(*blocks))
            before = channels
        self.wide_stages = nn.Sequential(*stages[:_WIDE_STAGES])
        self.deep_stages = nn.Sequential(*stages[_WIDE_STAGES:])
        self.presence = nn.Linear(_LAST_SIDE * _LAST_SIDE * before, 1)
        self.points = nn.Linear(_LAST_SIDE * _LAST_SIDE * before, 3 * LANDMARKS)

    @torch.no_grad()
    def forward(self, crops: Tensor) -> FaceMesh:
        """Find the landmarks of crops.

        Parameters
        ----------
        crops : Tensor, (N, 3, 256, 256), float32
            RGB in [0, 1].

        Returns
        -------
        FaceMesh
        """
        features = []
        for batch in crops.split(_BATCH):
            maps = torch.cat([self._wide(part) for part in batch.split(_WIDE_BATCH)], dim=2)
            features.append(_through(self.deep_stages, maps).permute(2, 0, 1, 3).flatten(1))
        x = torch.cat(features)
        points = self.points(x).unflatten(1, (LANDMARKS, 3))
        return FaceMesh(points, self.presence(x)[:, 0].sigmoid())

    def _wide(self, crops: Tensor) -> Tensor:
        """Take crops (N, 3, H, W) through the first stages, to (h, w, N, C)."""
        # TensorFlow's padding: with stride 2, an even picture is padded after its end only.
        x = self.stem(F.pad(crops, (0, 1, 0, 1))).permute(2, 3, 0, 1).contiguous()
        x = _activated(x, self.stem_act.rows())
        return _through(self.wide_stages, x)


def _through(stages: nn.Sequential, x: Tensor) -> Tensor:
    """Take maps through stages, block by block.

    What is not needed any more is free at once, and so is used again while it is in the processor's
    cache; a call of a whole stage would hold its input until its end.
    """
    for stage in stages:
        for block in stage.children():
            x = block(x)
    return x


class _Block(nn.Module):
    """A bottleneck beside a skip connection; with stride 2, the skip is a max-pooling.

    In terms of layers: ``act(skip(x) + expand(depthwise(reduce_act(reduce(x)))))``. `reduce` looks
    at windows of the stride, without overlap.
    """

    def __init__(self, before: int, inside: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.reduce = nn.Linear(stride * stride * before, inside, bias=False)
        self.reduce_act = _BiasPReLU(inside)
        self.depthwise = nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False)
        self.expand = nn.Linear(inside, after, bias=False)
        self.act = _BiasPReLU(after)
        self.inside = inside
        self.new_channels = after - before
        self._weights: dict[tuple[int, torch.device], _Weights] = {}
        self.register_load_state_dict_post_hook(lambda block, _: block._weights.clear())

    def forward(self, x: Tensor) -> Tensor:
        """Take maps (H, W, N, C), which are overwritten, to (H / stride, W / stride, N, C')."""
        n = x.shape[2]
        weights = self._weights.get((n, x.device)) or self._prepared(n, x.device)
        if self.stride == 1:
            y = x.flatten(0, 2) @ weights.reduce
        else:
            y = _windows(x, self.stride) @ weights.reduce
            x = _maps(F.max_pool2d(_picture(x), self.stride), n)
            if self.new_channels:
                x = F.pad(x, (0, self.new_channels))
        y = _activated(y.view(*x.shape[:3], self.inside), weights.reduce_act)
        y = F.conv2d(_picture(y), weights.depthwise, padding=1, groups=n * self.inside)
        x.flatten(0, 2).addmm_(_maps(y, n).flatten(0, 2), weights.expand)
        return _activated(x, weights.act)

    def _prepared(self, n: int, device: torch.device) -> _Weights:
        """Return the weights for `n` crops; they are made once."""
        depthwise = self.depthwise.weight.repeat(n, 1, 1, 1)
        weights = self._weights[n, device] = _Weights(
            self.reduce.weight.T.contiguous(),
            self.reduce_act.rows(),
            depthwise.contiguous(memory_format=torch.channels_last),
            self.expand.weight.T.contiguous(),
            self.act.rows(),
        )
        return weights


class _BiasPReLU(nn.Module):
    """A bias and the slopes of a PReLU, for each channel; :func:`_activated` applies them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.weight = nn.Parameter(torch.full((channels,), 0.25))

    def rows(self) -> tuple[Tensor, Tensor]:
        """Repeat both: torch goes through a broadcast of 8 channels 8 numbers at a time."""
        times = _ROW // len(self.bias)
        return self.bias.repeat(times), self.weight.repeat(times)


class _Weights(NamedTuple):
    """Weights of a block as they are multiplied with maps."""

    reduce: Tensor
    reduce_act: tuple[Tensor, Tensor]
    depthwise: Tensor
    expand: Tensor
    act: tuple[Tensor, Tensor]


def _activated(x: Tensor, rows: tuple[Tensor, Tensor]) -> Tensor:
    """Add a bias, in place, and apply a PReLU to maps (H, W, N, C)."""
    bias, slopes = rows
    if x.numel() % _ROW == 0:
        return torch.prelu(x.view(-1, _ROW).add_(bias), slopes).view_as(x)
    channels = x.shape[-1]
    x = x.add_(bias[:channels])
    return torch.prelu(x.view(-1, channels), slopes[:channels]).view_as(x)


def _windows(x: Tensor, side: int) -> Tensor:
    """Gather windows without overlap: (H, W, N, C) to (H W N / side^2, side^2 C)."""
    high, wide, n, channels = x.shape
    x = x.view(high // side, side, wide // side, side, n, channels)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, side * side * channels)


def _picture(x: Tensor) -> Tensor:
    """View maps (H, W, N, C) as one picture (1, N * C, H, W), channels last in memory."""
    return x.flatten(2)[None].permute(0, 3, 1, 2)


def _maps(picture: Tensor, n: int) -> Tensor:
    """View a picture (1, N * C, H, W) as maps (H, W, N, C)."""
    return picture.permute(0, 2, 3, 1)[0].unflatten(2, (n, -1))
