"""Keeps what a caller has set in torch away from our networks, and our doings from the caller.

A program may compute in float64, under autocast, on the device ``meta``, in inference mode, with
seeded generators. Its results must not depend on whether it calls us in between, nor ours on it.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

__all__ = ["isolated_build", "isolated_inference"]

_ACCELERATORS = ("cpu", "cuda", "mps", "xpu")
# Set by open_clip and by tokenizers when they are imported.
_VARIABLES = ("TOKENIZERS_PARALLELISM",)

_lock = threading.RLock()
_builders = 0
_restore: Callable[[], None] | None = None


@contextmanager
def isolated_inference() -> Iterator[None]:
    """Run networks in inference mode, without autocast, and make tensors on the processor.

    All of this belongs to the thread. The default dtype belongs to the process, so it is not
    touched here: code inside names the dtype of each tensor that it makes.
    """
    import torch

    with _without_autocast(), torch.inference_mode(), ExitStack() as entered:
        if torch.get_default_device().type != "cpu":
            # Not `torch.device("cpu")`: with any mode of torch's functions, attention takes another
            # path, which rounds otherwise.
            entered.enter_context(torch._C.DisableTorchFunction())
        yield


@contextmanager
def isolated_build() -> Iterator[None]:
    """Build networks and load weights: in float32, on the processor, as ordinary tensors.

    Random generators, the default dtype and environment variables are afterwards as they were.
    They belong to the process: where several threads build at once, the last one puts them back.
    """
    global _builders, _restore
    import torch

    with _lock:
        if not _builders:
            _restore = _process_state()
            torch.set_default_dtype(torch.float32)
        _builders += 1
    try:
        with _without_autocast(), torch.inference_mode(False), torch.device("cpu"):
            yield
    finally:
        with _lock:
            _builders -= 1
            if not _builders and _restore is not None:
                _restore()
                _restore = None


def _process_state() -> Callable[[], None]:
    """Remember what belongs to the process; return what puts it back."""
    import torch

    dtype, generator = torch.get_default_dtype(), torch.get_rng_state()
    legacy, plain = np.random.get_state(), random.getstate()
    variables = {name: os.environ.get(name) for name in _VARIABLES}

    def restore() -> None:
        torch.set_default_dtype(dtype)
        torch.set_rng_state(generator)
        np.random.set_state(legacy)
        random.setstate(plain)
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    return restore


@contextmanager
def _without_autocast() -> Iterator[None]:
    import torch

    with ExitStack() as entered:
        for kind in _ACCELERATORS:
            if torch.is_autocast_enabled(kind):
                entered.enter_context(torch.autocast(kind, enabled=False))
        yield
