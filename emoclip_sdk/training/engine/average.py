"""A moving average of the weights, which is often better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .state import learned_state, load_tensors

__all__ = ["WeightAverage"]


class WeightAverage:
    """Exponential moving average of the parameters that learn, and of the batch norms' figures.

    After n steps the weight of the average so far is min(`decay`, n / (n + 10)): early steps, which
    know least, are soon forgotten.

    Parameters
    ----------
    module : nn.Module
        Its weights of now are where the average starts.
    decay : float
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        weights = {k: t for k, t in learned_state(module).items() if t.is_floating_point()}
        self._weights = list(weights.values())
        self._means = {name: tensor.clone() for name, tensor in weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the module's weights after a step, which counts from 1."""
        share = 1 - min(self.decay, step / (step + 10))
        torch._foreach_lerp_(list(self._means.values()), self._weights, share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages into the module, and its own weights back afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averages by the names of the weights."""
        return dict(self._means)

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Put back what :meth:`state_dict` returned."""
        load_tensors(self._means, state)

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, mean in zip(self._weights, self._means.values(), strict=True):
            kept = weight.clone()
            weight.copy_(mean)
            mean.copy_(kept)
