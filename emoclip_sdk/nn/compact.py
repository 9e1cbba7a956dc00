"""Towers that are built without open_clip: EfficientNet-Lite and CLIP's plain text transformer.

The embedded model consists of these. open_clip and timm build the same layers from the same
configuration, with tensors of the same names, but importing them takes three times as long as
loading this model, most of it in torchvision and torch's compiler.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

__all__ = ["CausalText", "EfficientNetTower", "SameConv2d", "builds", "pad_same"]

# Tan & Le 2019 (EfficientNet), without squeeze and excitation and with ReLU6 ("Lite"). A stage:
# repetitions, kernel, stride, expansion, channels. Stem and head keep their width in every size.
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
_SIZES = {  # factors of width and depth
    "tf_efficientnet_lite0": (1.0, 1.0),
    "tf_efficientnet_lite1": (1.0, 1.1),
    "tf_efficientnet_lite2": (1.1, 1.2),
}
_VISION_KEYS = {
    "image_size",
    "timm_model_name",
    "timm_model_pretrained",
    "timm_pool",
    "timm_proj",
}
_TEXT_KEYS = {"context_length", "heads", "layers", "vocab_size", "width"}


def builds(model: Mapping[str, Any]) -> bool:
    """Tell whether both towers of an open_clip model configuration can be built here."""
    vision, text = model.get("vision_cfg", {}), model.get("text_cfg", {})
    return (
        set(model) <= {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"}
        and not model.get("quick_gelu")
        and set(vision) <= _VISION_KEYS
        and vision.get("timm_model_name") in _SIZES
        and (vision.get("timm_pool"), vision.get("timm_proj")) == ("avg", "linear")
        and set(text) <= _TEXT_KEYS
    )


class EfficientNetTower(nn.Module):
    """EfficientNet-Lite, mean over the picture, and a linear projection.

    Parameters
    ----------
    name : str
        Of timm, ``tf_efficientnet_lite0`` to ``2``.
    width : int
        D, size of the embeddings.
    """

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.trunk = _EfficientNet(*_SIZES[name])
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


class CausalText(nn.Module):
    """CLIP's text transformer, run only as far as the longest text of the batch.

    The attention is causal and the output is read at the end token, so positions behind it can't
    change the result: a batch of short labels costs a tenth of the full 77 positions.

    Parameters
    ----------
    embed_dim : int
        D, size of the embeddings.
    context_length, vocab_size, width, heads, layers : int
        As open_clip's ``text_cfg`` has them, with its defaults.
    """

    token_embedding: nn.Embedding
    positional_embedding: nn.Parameter
    transformer: nn.Module
    ln_final: nn.LayerNorm
    text_projection: nn.Linear | nn.Parameter | None

    def __init__(
        self,
        embed_dim: int,
        context_length: int = 77,
        vocab_size: int = 49408,
        width: int = 512,
        heads: int = 8,
        layers: int = 12,
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        self.transformer = _Transformer(width, heads, layers)
        self.ln_final = _LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, embed_dim))
        # CLIP's start (Radford et al. 2021)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)
        nn.init.normal_(self.text_projection, std=width**-0.5)

    @classmethod
    def of(cls, clip: Any) -> CausalText:
        """Take the text tower out of open_clip's ``CLIP``."""
        text = cls.__new__(cls)
        nn.Module.__init__(text)
        for name in cls.__annotations__:
            setattr(text, name, getattr(clip, name))
        return text

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed tokens (N, context_length) to (N, D)."""
        end = tokens.argmax(dim=-1)  # the end token has the highest number of the vocabulary
        n = int(end.max()) + 1
        x = self.token_embedding(tokens[:, :n])
        x = x + self.positional_embedding[:n].to(x.dtype)
        mask = torch.full((n, n), float("-inf"), dtype=x.dtype, device=x.device).triu_(1)
        x = self.ln_final(self.transformer(x, attn_mask=mask))
        x = x[torch.arange(len(x), device=x.device), end]
        if isinstance(self.text_projection, nn.Linear):
            return self.text_projection(x)
        return x if self.text_projection is None else x @ self.text_projection


class _LayerNorm(nn.LayerNorm):
    """Returns the type that it was given, under autocast as well."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).to(x.dtype)


class _Block(nn.Module):
    """Pre-norm attention and a perceptron of four times the width."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.ln_1 = _LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = _LayerNorm(width)
        wide, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=wide, gelu=nn.GELU(), c_proj=narrow))
        std = width**-0.5
        nn.init.normal_(self.attn.in_proj_weight, std=std)
        nn.init.normal_(wide.weight, std=std * 0.5**0.5)
        for last in (self.attn.out_proj, narrow):  # what is added to the residual stream
            nn.init.normal_(last.weight, std=std * (2 * layers) ** -0.5)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask.to(y.dtype))[0]
        return x + self.mlp(self.ln_2(x))


class _Transformer(nn.Module):
    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.grad_checkpointing = False
        self.resblocks = nn.ModuleList(_Block(width, heads, layers) for _ in range(layers))

    def forward(self, x: Tensor, attn_mask: Tensor) -> Tensor:
        for block in self.resblocks:
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = cast(Tensor, checkpoint(block, x, attn_mask, use_reentrant=False))
            else:
                x = block(x, attn_mask)
        return x
