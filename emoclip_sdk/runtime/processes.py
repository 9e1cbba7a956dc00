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

__all__ = ["SPAWN", "end_with_parent", "sigint_blocked", "usable_cpus"]

# A fork of a process with torch's threads in it can hang.
SPAWN = multiprocessing.get_context("spawn")


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Keep this thread, and processes that it starts in the block, deaf to Ctrl-C.

    Ctrl-C goes to the whole process group; the main thread of the parent first saves what it has
    and then ends its workers. Not for the main thread, which shall hear it at any time.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start, which comes first, would lift the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # is inherited
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, in whatever way."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
