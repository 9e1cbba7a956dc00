"""Ctrl-C as the end of a loop, so that what is done is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

__all__ = ["UntilInterrupted"]

T = TypeVar("T")


class UntilInterrupted(Generic[T]):
    """Hands on items until Ctrl-C, which ends them at once.

    While an item is being made, it is given up. While whoever takes the items is busy, as with
    writing one, that is waited for. Before the first item, Ctrl-C is what it always is.

    To be used in a ``with`` block, and iterated over once.

    Attributes
    ----------
    stopped : bool
        Whether it ended that way.

    Parameters
    ----------
    items : iterable
    """

    def __init__(self, items: Iterable[T]) -> None:
        self.stopped = False
        self._items = items
        self._making = True
        self._begun = False
        self._before: Any = None

    def __enter__(self) -> UntilInterrupted[T]:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _stop(self, number: int, frame: Any) -> None:
        if self._making or self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def __iter__(self) -> Iterator[T]:
        items = iter(self._items)
        while not self.stopped:
            try:
                item = next(items)
                self._making = False
            except StopIteration:
                return
            except KeyboardInterrupt:
                if not self._begun:
                    raise
                self.stopped = True
                return
            finally:
                self._making = False
            self._begun = True
            yield item
            self._making = True
