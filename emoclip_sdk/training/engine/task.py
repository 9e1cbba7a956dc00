"""What the training loop needs to know of an objective."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor, nn

from .optim import Amp
from .plan import Plan

__all__ = ["TrainingTask"]


class TrainingTask(Protocol):
    """An objective: what learns, from which batches, by which loss."""

    module: nn.Module
    """All parameters, by the names that `optim.part_of` knows."""

    def batches(self, plan: Plan) -> Iterator[Any]:
        """Yield what :meth:`backward` takes, for each step of a plan."""
        ...

    def backward(self, batch: Any, amp: Amp) -> Tensor:
        """Add the gradient of a batch, scaled by ``amp.scaler``, and return its loss, detached.

        The loss stays on the device: to read it would make the device wait in every step.
        """
        ...

    def train(self) -> None:
        """Put the parts that learn into training mode."""
        ...
