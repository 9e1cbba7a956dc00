"""Tensors by name: read them, compare them with what a network needs, make them ready to store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import CheckpointError
from ..runtime.torch_state import isolated_build

__all__ = ["check_finite", "check_tensors", "read_safetensors", "stored"]


@isolated_build()
def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Map a safetensors file into memory; a broken one is a CheckpointError that names it."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
        if head.startswith(b"version https://git-lfs"):
            raise CheckpointError(
                f"{path}: is a Git LFS pointer, not the weights. Run 'git lfs pull' in the clone."
            )
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: broken or cut short ({error}). Copy or download it again."
        ) from error


def check_tensors(
    expected: Mapping[str, Tensor],
    actual: Mapping[str, Tensor],
    where: str,
    advice: str = "config.json and model.safetensors must come from the same save.",
) -> None:
    """Compare two state dicts by name, shape and kind; a difference is a CheckpointError."""
    missing = [name for name in expected if name not in actual]
    unexpected = [name for name in actual if name not in expected]
    wrong = []
    for name, tensor in expected.items():
        if name not in actual:
            continue
        other = actual[name]
        if other.shape != tensor.shape:
            wrong.append(f"{name} is {_shape(other)} and should be {_shape(tensor)}")
        elif (other.is_floating_point(), other.is_complex()) != (
            tensor.is_floating_point(),
            tensor.is_complex(),
        ):
            wrong.append(f"{name} is {other.dtype} and should be {tensor.dtype}")
    problems = [
        f"{len(names)} {what}: {_first(names)}"
        for names, what in (
            (missing, "missing"),
            (unexpected, "unexpected"),
            (wrong, "of a wrong shape or type"),
        )
        if names
    ]
    if problems:
        raise CheckpointError(
            f"{where}: the tensors do not fit the network. {'. '.join(problems)}. {advice}"
        )


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """Refuse weights that are not numbers: every score would silently be none either."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.to(torch.float32)).all():
            raise CheckpointError(
                f"{where}: {name} has values that are NaN or infinite. The file is damaged, or its "
                "training went wrong: copy or download it again, or take an earlier checkpoint."
            )


def stored(name: str, tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    """Prepare a tensor for the file: matrices in `dtype`, without the memory around a view."""
    tensor = tensor.detach().cpu().contiguous()
    if dtype is not None and tensor.is_floating_point() and tensor.ndim > 1:
        cast = tensor.to(dtype)
        if not torch.isfinite(cast).all():
            raise CheckpointError(f"not saved: {name} has values that {dtype} can't hold")
        tensor = cast
    if tensor.untyped_storage().nbytes() != tensor.nbytes:
        tensor = tensor.clone()
    return tensor


def _shape(tensor: Tensor) -> str:
    return "(" + ", ".join(str(n) for n in tensor.shape) + ")"


def _first(names: list[str], n: int = 5) -> str:
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(names[:n]) + more
