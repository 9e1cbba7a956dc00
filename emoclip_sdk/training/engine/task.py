"""What the training loop needs to know of an objective."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import nn

from .optim import Amp
from .plan import Plan

__all__ = ["Task"]


class Task(Protocol):
    """What the trainer needs to know of an objective."""

    module: nn.Module
    """All parameters, by the names that `optim.part_of` knows."""

    n: int
    """Training clips."""

    def batches(self, plan: Plan) -> Iterator[Any]:
        """Yield what :meth:`backward` takes, for each step of a plan."""
        ...

    def backward(self, batch: Any, amp: Amp) -> float:
        """Add the gradient of a batch, scaled by ``amp.scaler``, and return its loss."""
        ...

    def train(self) -> None:
        """Put the parts that learn into training mode."""
        ...
