"""How much freed memory the C library keeps for the next request."""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]

_LARGEST = 2**25 - 2**16
"""Bytes: just below 32 MiB, from which on glibc never learns."""


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to 32 MiB; elsewhere, do nothing of consequence.

    A network whose maps take megabytes frees and requests them all the time. At first glibc gives
    each back to the system, which has to fill it with zeros, page by page, when it is requested
    again. It learns from what is freed (mallopt(3), "dynamic mmap threshold"): blocks of that size
    come from the heap from then on, whose free end may grow to twice as much. This frees one, which
    was never written to. Where somebody has set the thresholds, they stay.
    """
    np.empty(_LARGEST, np.uint8)
