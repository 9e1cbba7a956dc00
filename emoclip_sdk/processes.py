"""What every worker process has in common: deaf to Ctrl-C, gone with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

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
    """Let processes that are started here ignore Ctrl-C from birth.

    It goes to the whole group; the parent first saves what it has and then ends its workers.
    """
    if threading.current_thread() is not threading.main_thread():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        # Only the main thread may set handlers; a mask is inherited just the same.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, in whatever way."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
