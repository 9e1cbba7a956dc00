"""Which samples are in which step: it follows from the seed, so that a run can go on anywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LengthSortedPlan", "Plan", "ShuffledPlan", "WeightedPlan"]

# Batches that are sorted by length together.
_SORTED_TOGETHER = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan(ABC):
    """The steps of a run, as one process sees them.

    Iterating yields the epoch and the rows of each step from `first` to the end of the run.

    Attributes
    ----------
    batch_size : int
        On each process.
    epochs, seed : int
    rank, world : int
        Which process, of how many. Together they see the batches of one process with `world`
        times the batch size.
    first : int
        Steps that are done already.
    """

    batch_size: int
    epochs: int
    seed: int
    rank: int = 0
    world: int = 1
    first: int = 0

    @property
    @abstractmethod
    def n(self) -> int:
        """Number of samples there are."""

    @property
    def size(self) -> int:
        """Samples of a step on each process: all there are, where they fill no batch."""
        return min(self.batch_size, self.n // self.world)

    @property
    def steps(self) -> int:
        """Steps of an epoch; a last, smaller batch is left out."""
        return self.n // (self.size * self.world) if self.size else 0

    @property
    def total(self) -> int:
        """Steps of the run."""
        return self.epochs * self.steps

    @abstractmethod
    def order(self, epoch: int) -> NDArray[np.intp]:
        """Return the rows of an epoch, step after step."""

    def rng(self, epoch: int) -> np.random.Generator:
        """Return the generator that an epoch's order is drawn with."""
        return np.random.default_rng([self.seed, epoch])

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        epoch, order = -1, np.zeros(0, np.intp)
        for step in range(self.first, self.total):
            if step // self.steps != epoch:
                epoch = step // self.steps
                order = self.order(epoch)
            start = (step % self.steps * self.world + self.rank) * self.size
            yield epoch, order[start : start + self.size].tolist()


@dataclass(frozen=True, kw_only=True, eq=False)
class ShuffledPlan(Plan):
    """Each sample once in an epoch.

    Attributes
    ----------
    samples : int
    """

    samples: int

    @property
    def n(self) -> int:
        return self.samples

    def order(self, epoch: int) -> NDArray[np.intp]:
        return self.rng(epoch).permutation(self.n)


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedPlan(Plan):
    """Samples drawn with replacement, in proportion to their weights.

    Attributes
    ----------
    weights : ndarray, (N,)
    epoch_steps : int, optional
        Steps of an epoch, of `batch_size` samples each, however many samples there are. None: as
        many as they fill.
    """

    weights: NDArray[np.floating]
    epoch_steps: int | None = None

    @property
    def n(self) -> int:
        return len(self.weights)

    @property
    def size(self) -> int:
        return super().size if self.epoch_steps is None else self.batch_size

    @property
    def steps(self) -> int:
        return super().steps if self.epoch_steps is None else self.epoch_steps

    def order(self, epoch: int) -> NDArray[np.intp]:
        chances = np.asarray(self.weights, np.float64)
        drawn = self.steps * self.size * self.world
        return self.rng(epoch).choice(self.n, drawn, p=chances / chances.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class LengthSortedPlan(Plan):
    """Each text once in an epoch, in batches of texts of similar length: little padding.

    Texts are sorted within chunks of 50 batches, so that little of their order is left.

    Attributes
    ----------
    lengths : ndarray of int, (N,)
    """

    lengths: NDArray[np.integer]

    @property
    def n(self) -> int:
        return len(self.lengths)

    def order(self, epoch: int) -> NDArray[np.intp]:
        rng, size = self.rng(epoch), self.size * self.world
        shuffled = rng.permutation(self.n)
        chunks = [
            chunk[np.argsort(self.lengths[chunk], kind="stable")][: len(chunk) // size * size]
            for chunk in np.split(
                shuffled, range(_SORTED_TOGETHER * size, self.n, _SORTED_TOGETHER * size)
            )
        ]
        batches = np.concatenate(chunks).reshape(-1, size)
        return batches[rng.permutation(len(batches))].ravel()
