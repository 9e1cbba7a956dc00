"""What every worker process has in common."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from emoclip_sdk.runtime.processes import SPAWN, sigint_blocked


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_is_born_deaf_to_ctrl_c(tmp_path):
    def start():
        with sigint_blocked():
            process.start()
            os.kill(process.pid, signal.SIGINT)

    process = SPAWN.Process(target=_ends_well, args=(tmp_path / "end",))
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    process.join()
    assert process.exitcode == 0 and (tmp_path / "end").exists()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def _ends_well(path):
    path.touch()
