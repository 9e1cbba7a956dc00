"""Decoding beside everything else: FFmpeg and the networks each leave the other a core."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")

_POLL = 0.1  # seconds in which an abandoned thread notices
_PAUSE = 0.005  # seconds after which it is looked again whether there is room


def prefetch(
    items: Generator[T, None, None],
    depth: int,
    *,
    size: Callable[[T], int] = lambda item: 0,
    budget: int = 0,
) -> Iterator[T]:
    """Run a generator in a thread of its own, at most `depth` items ahead of whoever reads them.

    An error of the generator is raised here, after the items before it. Who leaves early stops the
    thread, which closes the generator itself: a decoder belongs to one thread.

    Parameters
    ----------
    items : generator
        Not started yet.
    depth : int
        Bounds the memory.
    size : callable, optional
        Bytes of an item. Fewer wait where they are large: `budget` bytes together, or one.
    budget : int
    """
    ready: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(depth)
    abandoned = threading.Event()

    def put(item: tuple[T] | BaseException | None) -> bool:
        while not abandoned.is_set():
            try:
                ready.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        end: BaseException | None = None
        try:
            with closing(items):
                expected = 0  # bytes of the next item: before it is made, not in our hand
                while True:
                    while ready.qsize() and expected * (ready.qsize() + 1) > budget:
                        if abandoned.wait(_PAUSE):
                            return
                    item = next(items, None)
                    if item is None or not put((item,)):
                        break
                    expected = size(item)
        except BaseException as error:
            end = error
        put(end)

    thread = threading.Thread(target=produce, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            yield item[0]
    finally:
        abandoned.set()
        thread.join()
