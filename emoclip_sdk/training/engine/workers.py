"""Worker processes for training and evaluation, started once for a whole run."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, TypeVar

from ...errors import EmoCLIPError
from ...runtime.processes import SPAWN, end_with_parent, unheard

__all__ = ["Workers"]

T = TypeVar("T")

# Items that are under way or waiting for each process.
_AHEAD = 8


class Workers:
    """Processes for one piece of work after the other, until the end of a ``with`` block.

    To start one takes seconds, for its imports: a run has one object of this kind, whose processes
    read for training, validation and cache alike. They are started when they are first needed.

    Parameters
    ----------
    count : int
        Processes; 0: there are none, and the work is done here.

    Examples
    --------
    >>> with Workers() as workers:
    ...     list(workers.map(max, [(1, 2), (4, 3)]))
    [2, 4]
    """

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(self, function: Callable[..., T], items: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """Call a function of a module with the arguments in each item; yield results in order.

        Several of these may be under way at once. Items are taken ahead of results, so they must
        not depend on them.

        Raises
        ------
        EmoCLIPError
            A process died.
        """
        if not self.count:
            yield from itertools.starmap(function, items)
            return
        begun: deque[Future[T]] = deque()
        rest = iter(items)
        try:
            while True:
                for item in itertools.islice(rest, _AHEAD * self.count - len(begun)):
                    begun.append(self._begin(function, item))
                if not begun:
                    return
                yield begun.popleft().result()
        except BrokenProcessPool as error:
            raise EmoCLIPError(
                "a worker process died: a crash of a decoder, or out of memory. Take fewer "
                "workers, or none: then the error shows itself"
            ) from error
        finally:
            for future in begun:
                future.cancel()

    def _begin(self, function: Callable[..., T], item: tuple[Any, ...]) -> Future[T]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.count, SPAWN, end_with_parent)
        with unheard():
            return self._pool.submit(function, *item)
