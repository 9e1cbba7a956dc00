"""Work of many small operations, which torch's own threads make slower.

For each operation torch wakes its threads and waits for all of them, spinning. Where operations
take some microseconds that costs more than it saves, and where a decoder needs one of the cores, or
somebody else does, each may wait for a whole time slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["one_thread", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in the calling thread alone."""
    import torch  # here: who only opens a video imports this module, too

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def side_by_side(run: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return the result of each item: as many at a time as torch has threads, each in its own.

    The calling thread is one of them: each of the others holds memory of its own.
    """
    import torch

    threads = torch.get_num_threads()
    numbers = iter(range(len(items)))  # its `next` is atomic
    results: dict[int, R] = {}

    def work() -> None:
        for number in numbers:
            results[number] = run(items[number])

    others = min(threads, len(items)) - 1
    if others < 1:
        with one_thread():
            work()
    else:
        try:
            with ThreadPoolExecutor(others, "side by side", torch.set_num_threads, (1,)) as pool:
                tasks = [pool.submit(work) for _ in range(others)]
                with one_thread():
                    work()
                for task in tasks:
                    task.result()
        finally:
            torch.set_num_threads(threads)  # which threads that begin later take over
    return [results[number] for number in range(len(items))]
