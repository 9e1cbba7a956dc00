"""Mixed precision of forward passes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from ...inference.devices import pick_dtype

__all__ = ["Precision", "PrecisionChoice", "autocast", "pick_precision", "product_dtype"]

Precision = Literal["fp32", "bf16", "fp16"]
PrecisionChoice = Literal["auto", "fp32", "bf16", "fp16"]

_DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


def pick_precision(precision: PrecisionChoice, device: torch.device) -> Precision:
    """Resolve ``"auto"``: bf16 where the hardware multiplies it faster, else fp32.

    On a processor that can't PyTorch computes bfloat16 several times slower than float32.
    """
    if precision != "auto":
        return precision
    return "bf16" if pick_dtype("auto", device) == torch.bfloat16 else "fp32"


def product_dtype(precision: Precision) -> torch.dtype | None:
    """Return in which type autocast multiplies; None: there is none."""
    return _DTYPES.get(precision)


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """Return the context of a forward pass; with fp32 it does nothing."""
    dtype = product_dtype(precision)
    return torch.autocast(device.type, dtype) if dtype is not None else nullcontext()
