"""Depthwise convolutions: the quick backward pass against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from emoclip_sdk.training.engine.depthwise import quicken_depthwise
from emoclip_sdk.training.engine.precision import autocast


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize("kind", [nn.Conv2d, Conv2dSame])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_are_those_of_pytorch(
    kind: type[nn.Conv2d], kernel: int, stride: int, size: int
) -> None:
    torch.manual_seed(0)
    padding = 0 if kind is Conv2dSame else kernel // 2
    conv = kind(8, 8, kernel, stride=stride, padding=padding, groups=8, bias=False)
    x = torch.randn(4, 8, size, size).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    expected = conv(x)
    back = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, (x, conv.weight), back)

    quicken_depthwise(conv)
    with autocast("bf16", x.device):
        found = conv(x)
    assert found.dtype == torch.bfloat16
    got = torch.autograd.grad(found, (x, conv.weight), back.bfloat16())
    for ours, theirs in zip((found, *got), (expected, *wanted), strict=True):
        assert ours.shape == theirs.shape
        assert (ours.float() - theirs).norm() < 0.01 * theirs.norm()
    assert torch.equal(conv(x), expected)  # without autocast nothing is changed
