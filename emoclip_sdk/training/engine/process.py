"""One process of a run, or one of several under ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ...inference.devices import pick_device

__all__ = ["Process", "all_gather_rows", "distributed"]

T = TypeVar("T")
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Process:
    """Which process this is.

    Attributes
    ----------
    rank, world : int
        Number of this process, and how many there are.
    device : torch.device
    """

    rank: int = 0
    world: int = 1
    device: torch.device = _CPU

    @property
    def main(self) -> bool:
        """Whether this process writes what all share."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Let gradients be averaged over the processes (DistributedDataParallel)."""
        if self.world == 1 or not any(p.requires_grad for p in module.parameters()):
            return module
        ids = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids)

    def share(self, items: list[T]) -> list[T]:
        """Return this process's part of a list."""
        return items[self.rank :: self.world]

    def agreed(self, value: T) -> T:
        """Return the first process's value on every one."""
        if self.world == 1:
            return value
        box: list[Any] = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def gathered(self, value: T) -> list[T]:
        """Return the values of all processes."""
        if self.world == 1:
            return [value]
        box: list[Any] = [None] * self.world
        dist.all_gather_object(box, value)
        return box

    def any(self, value: bool) -> bool:
        """Whether `value` is true on any process."""
        if self.world == 1:
            return value
        flag = torch.tensor(float(value), device=self.device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return bool(flag.item())

    def barrier(self) -> None:
        """Wait for all."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def distributed(device: str = "auto") -> Iterator[Process]:
    """Join the process group that ``torchrun`` describes in the environment; alone without it.

    NCCL on GPUs, gloo on processors.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Process(device=pick_device(device))
        return
    chosen = pick_device(device)
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    # Long: one process may still fill the frame cache while the others wait.
    dist.init_process_group(
        "nccl" if chosen.type == "cuda" else "gloo", timeout=timedelta(hours=12)
    )
    try:
        yield Process(dist.get_rank(), world, chosen)
    finally:
        dist.destroy_process_group()


def all_gather_rows(rows: Tensor) -> Tensor:
    """Join the rows of all processes, in order of their ranks; no gradient flows."""
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)
