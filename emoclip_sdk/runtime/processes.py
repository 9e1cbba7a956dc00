"""What every worker process has in common: deaf to Ctrl-C, gone with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from types import FrameType

__all__ = ["SPAWN", "end_with_parent", "unheard", "usable_cpus"]

# A fork of a process with torch's threads in it can hang.
SPAWN = multiprocessing.get_context("spawn")


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def unheard() -> Iterator[None]:
    """Let processes that are started here be deaf to Ctrl-C from birth.

    It goes to the whole group; the parent first saves what it has and then ends its workers. The
    parent hears it when the block ends.
    """
    heard = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True

    can_block = hasattr(signal, "pthread_sigmask")
    main = threading.current_thread() is threading.main_thread()
    if can_block:
        resource_tracker.ensure_running()  # its start, which comes first, would lift the mask
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # is inherited
    if main:  # another thread of this process may still catch the signal
        handler = signal.signal(signal.SIGINT, remember if can_block else signal.SIG_IGN)
    try:
        yield
    finally:
        # The mask first: once the handler is back, a late signal may break off this block.
        if can_block:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, in whatever way."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
