"""What a run needs to go on exactly where it was: written atomically, read without code."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ...errors import CheckpointError

__all__ = [
    "STATE_FILE",
    "learned_state",
    "load_learned",
    "load_state",
    "load_tensors",
    "random_state",
    "save_state",
    "save_weights",
    "set_random_state",
    "write_text",
]


STATE_FILE = "state.pt"


def learned_state(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters that learn, and all buffers (running statistics), by name."""
    state = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    kept = module.state_dict()
    state.update({name: b for name, b in module.named_buffers() if name in kept})
    return state


def load_learned(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Put back what :func:`learned_state` returned."""
    load_tensors(learned_state(module), state)


@torch.no_grad()
def load_tensors(tensors: dict[str, Tensor], state: dict[str, Tensor]) -> None:
    """Copy saved values into tensors of the same names.

    Raises
    ------
    CheckpointError
        Other names or other shapes.
    """
    if {k: t.shape for k, t in tensors.items()} != {k: t.shape for k, t in state.items()}:
        raise CheckpointError(
            "the state is of another model: its tensors differ from the ones that learn here"
        )
    for name, tensor in tensors.items():
        tensor.copy_(state[name])


def random_state() -> dict[str, Any]:
    """Return the state of all random number generators, as plain types and tensors."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": [version, list(internal), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, cached],
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Put all random number generators where they were."""
    torch.set_rng_state(state["torch"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    if "cuda" in state and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state: after a power cut the old one or the new one is there, never half of one."""
    _replace(path, lambda temporary: torch.save(state, temporary))


def load_state(path: Path) -> dict[str, Any] | None:
    """Read a state; None where there is none.

    Raises
    ------
    CheckpointError
        It can't be read.
    """
    try:
        # weights_only: a run folder from elsewhere must not be able to run code.
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile, pickle and torch raise whatever they meet
        raise CheckpointError(
            f"{path}: the state of this run can't be read ({error}). Remove the file to start "
            "again, or name another folder with --run"
        ) from error


def save_weights(path: Path, state: dict[str, Tensor]) -> None:
    """Write tensors as safetensors, atomically."""
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in state.items()}
    _replace(path, lambda temporary: save_file(tensors, temporary))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    _replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    # One writer per run: what a killed one left under this name is overwritten.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        _sync(temporary, os.O_RDWR)
        os.replace(temporary, path)
        if os.name == "posix":
            _sync(path.parent, os.O_RDONLY)  # the new name itself
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f"{path}: can't be written ({error})") from error


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
