"""The order in which samples are drawn, which follows from the seed and can be resumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Which clips are in which step, on one process.

    Iterating yields the epoch and the rows of each step from `first` to the end of the run. An
    epoch is one permutation of all clips; a last, smaller batch is left out.

    Attributes
    ----------
    n : int
        Training clips.
    batch_size : int
        On each process.
    epochs, seed : int
    rank, world : int
        Which process, of how many. Together they see the batches of one process with `world`
        times the batch size.
    first : int
        Steps that are done already.
    """

    n: int
    batch_size: int
    epochs: int
    seed: int
    rank: int = 0
    world: int = 1
    first: int = 0

    @property
    def size(self) -> int:
        """Clips of a step on each process: all there are, where they fill no batch."""
        return min(self.batch_size, self.n // self.world)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return self.n // (self.size * self.world)

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        epoch, order = -1, np.zeros(0, np.intp)
        for step in range(self.first, self.epochs * self.steps):
            if step // self.steps != epoch:
                epoch = step // self.steps
                order = np.random.default_rng([self.seed, epoch]).permutation(self.n)
            start = (step % self.steps * self.world + self.rank) * self.size
            yield epoch, order[start : start + self.size].tolist()
