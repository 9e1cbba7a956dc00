"""EfficientNet-Lite (Tan & Le 2019) as an image tower, built without timm and open_clip.

The same layers, with tensors of the same names in the same order: a test compares them. Importing
timm and open_clip imports torchvision and torch's compiler, which takes far longer than loading the
embedded model, in every process.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

__all__ = ["LITE_SIZES", "EfficientNetTower", "SameConv2d", "pad_same"]

# "Lite": without squeeze and excitation, and with ReLU6. A stage: repetitions, kernel, stride,
# expansion, channels. Stem and head keep their width in every size.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280
LITE_SIZES = {
    "tf_efficientnet_lite0": (1.0, 1.0),
    "tf_efficientnet_lite1": (1.0, 1.1),
    "tf_efficientnet_lite2": (1.1, 1.2),
}
"""Factors of width and depth by timm's names."""


class EfficientNetTower(nn.Module):
    """EfficientNet-Lite, mean over the picture, and a linear projection.

    Parameters
    ----------
    name : str
        A key of :data:`LITE_SIZES`.
    width : int
        D, size of the embeddings.
    """

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.trunk = _EfficientNet(*LITE_SIZES[name])
        self.head = nn.Sequential(OrderedDict(proj=nn.Linear(_HEAD, width, bias=False)))

    def forward(self, images: Tensor) -> Tensor:
        """Embed images (N, 3, H, W) to (N, D)."""
        return self.head(self.trunk(images).mean(dim=(2, 3)))

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep only the output of each stage for the backward pass, and compute the rest again."""
        self.trunk.grad_checkpointing = enable


class _EfficientNet(nn.Module):
    def __init__(self, wider: float, deeper: float) -> None:
        super().__init__()
        self.grad_checkpointing = False
        self.conv_stem = SameConv2d(3, _STEM, 3, stride=2)
        self.bn1 = _Norm(_STEM, nn.ReLU6(inplace=True))
        before, stages = _STEM, []
        last = len(_STAGES) - 1
        for i, (n, kernel, stride, expansion, channels) in enumerate(_STAGES):
            after = _multiple_of_8(channels * wider)
            blocks: list[nn.Module] = []
            # The first and the last stage are never deeper.
            for j in range(n if i in (0, last) else math.ceil(n * deeper)):
                shapes = (before, after, kernel, stride if j == 0 else 1)
                blocks.append(_Residual(*shapes, expansion) if i else _Separable(*shapes))
                before = after
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(before, _HEAD, 1, bias=False)
        self.bn2 = _Norm(_HEAD, nn.ReLU6(inplace=True))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # as TensorFlow's implementation starts
                outputs = module.weight[0, 0].numel() * module.out_channels // module.groups
                nn.init.normal_(module.weight, std=math.sqrt(2 / outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv_stem(x))
        for stage in self.blocks:
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = cast(Tensor, checkpoint(stage, x, use_reentrant=False))
            else:
                x = stage(x)
        return self.bn2(self.conv_head(x))


class _Separable(nn.Module):
    """A depthwise and a pointwise convolution, beside a skip connection where shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.skip = before == after and stride == 1
        self.conv_dw = _depthwise(before, kernel, stride)
        self.bn1 = _Norm(before, nn.ReLU6(inplace=True))
        self.conv_pw = nn.Conv2d(before, after, 1, bias=False)
        self.bn2 = _Norm(after)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv_pw(self.bn1(self.conv_dw(x))))
        return x + y if self.skip else y


class _Residual(nn.Module):
    """An inverted residual block (Sandler et al. 2018): wide inside, narrow at its ends."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = _multiple_of_8(before * expansion)
        self.skip = before == after and stride == 1
        self.conv_pw = nn.Conv2d(before, inside, 1, bias=False)
        self.bn1 = _Norm(inside, nn.ReLU6(inplace=True))
        self.conv_dw = _depthwise(inside, kernel, stride)
        self.bn2 = _Norm(inside, nn.ReLU6(inplace=True))
        self.conv_pwl = nn.Conv2d(inside, after, 1, bias=False)
        self.bn3 = _Norm(after)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv_dw(self.bn1(self.conv_pw(x))))
        y = self.bn3(self.conv_pwl(y))
        return x + y if self.skip else y


class _Norm(nn.BatchNorm2d):
    """Batch norm and the activation behind it."""

    def __init__(self, channels: int, act: nn.Module | None = None) -> None:
        super().__init__(channels, eps=1e-3)
        self.act = act or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


class SameConv2d(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow does: by the size of the picture."""

    def __init__(
        self, before: int, after: int, kernel: int, *, stride: int, groups: int = 1
    ) -> None:
        super().__init__(before, after, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride))."""
        return super().forward(pad_same(x, self))


def pad_same(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """Pad pictures so that ``ceil(size / stride)`` pixels come out; the odd one after the end."""
    borders: list[int] = []
    for size, kernel, stride in zip(x.shape[:1:-1], conv.kernel_size, conv.stride, strict=True):
        missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        borders += [missing // 2, missing - missing // 2]
    return F.pad(x, borders)


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride > 1:
        return SameConv2d(channels, channels, kernel, stride=stride, groups=channels)
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)


def _multiple_of_8(channels: float) -> int:
    """Round to a multiple of 8, by less than a tenth downwards."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
