"""Depthwise convolutions that train quickly in bfloat16 on processors with matrix units.

PyTorch's own backward pass of a depthwise convolution in bfloat16 falls back to a slow reference
kernel there: two thirds of the time of a training step of EfficientNet-Lite0 at 96 pixels. The
forward kernel is fast, and the gradient of the input is a convolution too.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.efficientnet import SameConv2d, pad_same

__all__ = ["quicken_depthwise"]


def quicken_depthwise(network: nn.Module) -> None:
    """Let depthwise convolutions of `network` take :class:`_Depthwise` under bfloat16 autocast.

    Weights, names and results stay as they are, but for rounding.
    """
    from timm.layers.conv2d_same import Conv2dSame

    for conv in network.modules():
        if type(conv) not in (nn.Conv2d, SameConv2d, Conv2dSame):
            continue
        assert isinstance(conv, nn.Conv2d)
        if conv.groups == conv.in_channels == conv.out_channels > 1:
            same = type(conv) is not nn.Conv2d
            conv.forward = functools.partial(_forward, conv, same)  # type: ignore[method-assign]


def _forward(conv: nn.Conv2d, same: bool, x: Tensor) -> Tensor:
    if not torch.is_autocast_enabled(x.device.type):
        return type(conv).forward(conv, x)
    padding: Any = conv.padding
    if same:  # TensorFlow's padding, which depends on the size of the picture
        x = pad_same(x, conv)
        padding = (0, 0)
    dtype = torch.get_autocast_dtype(x.device.type)
    with torch.autocast(x.device.type, enabled=False):
        return _Depthwise.apply(x.to(dtype), conv.weight, conv.stride, padding)


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution without bias.

    The gradient of the input is a convolution with the turned kernel of what came back, spread out
    by the stride; that of the weights is computed in float32, for which there is a fast kernel.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: Any, padding: Any) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight.to(x.dtype), stride=stride, padding=padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        channels, (step_y, step_x), (pad_y, pad_x) = len(weight), ctx.stride, ctx.padding
        high, wide = weight.shape[-2:]
        _, of_weight, _ = torch.ops.aten.convolution_backward(
            grad.float(), x.float(), weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0),
            channels, (False, True, False),
        )  # fmt: skip
        # As large as the output of the same convolution with stride 1.
        rows, columns = x.shape[-2] + 2 * pad_y - high + 1, x.shape[-1] + 2 * pad_x - wide + 1
        if (step_y, step_x) != (1, 1):
            spread = grad.new_zeros((len(grad), channels, rows, columns))
            spread = spread.contiguous(memory_format=torch.channels_last)
            spread[:, :, ::step_y, ::step_x][..., : grad.shape[-2], : grad.shape[-1]] = grad
            grad = spread
        of_input = F.conv2d(
            grad,
            weight.flip(-1, -2).to(grad.dtype),
            padding=(high - 1 - pad_y, wide - 1 - pad_x),
            groups=channels,
        )
        return of_input, of_weight, None, None
