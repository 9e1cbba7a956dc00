"""Where and how precisely a network runs: device and number format, chosen by what is there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from ..errors import EmoCLIPError

__all__ = ["has_amx", "pick_device", "pick_dtype"]


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """Resolve ``"auto"``: CUDA where there is one, else the processor.

    Raises
    ------
    EmoCLIPError
        There is no such device here, or its driver is too old.
    """
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.zeros(1, device=resolved).cpu()
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch without CUDA
        reason = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise EmoCLIPError(f"the device '{device}' can't be used here: {reason}") from error
    return resolved


def pick_dtype(
    dtype: str | torch.dtype, device: torch.device, *, convolutional: bool = False
) -> torch.dtype:
    """Resolve ``"auto"``: the fastest precision that keeps what an image tower says.

    For a transformer, bfloat16 where the hardware multiplies it faster: CUDA from compute
    capability 8, processors with AMX or AVX-512 BF16. Through the many layers of a convolutional
    tower bfloat16 rounds too much: there it is float16, where the hardware computes with it.
    float32 everywhere else. Temporal module, text tower and scores are always computed in float32.
    """
    if dtype != "auto":
        resolved = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
        if resolved not in (torch.float32, torch.bfloat16, torch.float16):
            raise ValueError(
                f"dtype must be 'auto', 'float32', 'bfloat16' or 'float16', not {dtype!r}"
            )
        return resolved
    half = torch.float16 if convolutional else torch.bfloat16
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        flags = ("avx512_fp16",) if convolutional else ("amx_bf16", "avx512_bf16")
        fast = device.type == "cpu" and any(map(_has, flags))
    return half if fast else torch.float32


def has_amx() -> bool:
    """Whether the processor has matrix units for bfloat16."""
    return _has("amx_bf16")


@lru_cache
def _has(flag: str) -> bool:
    try:
        return flag in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
