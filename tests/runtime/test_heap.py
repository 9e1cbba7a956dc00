"""What keeping freed memory saves, counted in page faults."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CHILD = """
import resource
import numpy as np
from emoclip_sdk.runtime.heap import keep_freed_memory

def faults():
    # Two blocks: the upper one borders on the end of the heap, which is what may be given back.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        blocks = [np.ones(6 * 2**20, np.uint8) for _ in range(2)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
keep_freed_memory()
faults()
print(first, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators")
def test_freed_memory_is_used_again_without_asking_the_system() -> None:
    command = [sys.executable, "-c", CHILD]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    before, after = map(int, out.split())
    assert before > 10 * 100  # else there would be nothing to gain
    assert after < before / 10
