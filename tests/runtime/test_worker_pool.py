"""Processes that die, hang or are slower or faster than the one that listens to them."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.runtime.processes import SPAWN, unheard
from emoclip_sdk.runtime.worker_pool import WorkerPool


def worker(send, folder):
    """Do what the job says; `folder` remembers what was tried before."""

    def work(job):
        if job == "log":
            logging.getLogger("emoclip_sdk.test").warning("said in %s", "a worker")
        elif job.startswith("parts"):
            for i in range(int(job[5:])):
                send((i, os.getpid()))
        elif job == "segfault":
            send("half")
            os.kill(os.getpid(), signal.SIGSEGV)
        elif job == "die once" and not (Path(folder) / job).exists():
            (Path(folder) / job).touch()
            send("half")
            os.kill(os.getpid(), signal.SIGKILL)
        elif job == "hang":
            time.sleep(60)
        return job

    return work


def unusable(send):
    raise EmoCLIPError("nothing to find faces with")


def dies_at_start(send):
    os._exit(3)


def run(pool, jobs):
    """Return the events but for None, in the order of their jobs."""
    events = [(e.job, e.kind, e.value) for e in pool.run(jobs) if e is not None]
    return sorted(events, key=lambda event: event[0])


def test_results_parts_and_log(tmp_path, caplog):
    with WorkerPool(2, worker, (str(tmp_path),)) as pool:
        events = run(pool, ["parts3", "a", "log"])
        assert [e[1] for e in events] == ["part"] * 3 + ["done"] * 3
        assert [e[2][0] for e in events[:3]] == [0, 1, 2] and events[4] == (1, "done", "a")
        assert caplog.messages == ["said in a worker"]
        assert run(pool, []) == []
        assert run(pool, iter("bc")) == [(0, "done", "b"), (1, "done", "c")]  # again, the same ones


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_death_or_a_hang_costs_one_job(tmp_path):
    jobs = ["segfault", "a", "die once", "hang", *"bcdef"]
    begun = time.monotonic()
    with WorkerPool(2, worker, (str(tmp_path),), limit_s=1.0) as pool:
        events = run(pool, jobs)
    assert time.monotonic() - begun < 30
    ends = {jobs[job]: (kind, value) for job, kind, value in events if kind in ("done", "lost")}
    assert len(ends) == len(jobs) == sum(e[1] in ("done", "lost") for e in events)
    assert all(ends[job] == ("done", job) for job in ["die once", *"abcdef"])
    assert ends["segfault"][0] == ends["hang"][0] == "lost"
    assert "died (signal 11" in ends["segfault"][1] and "longer than 1 s" in ends["hang"][1]
    assert [jobs[job] for job, kind, _ in events if kind == "again"] == [
        "segfault",
        "die once",
        "hang",
    ]


def test_a_slow_listener_stops_the_workers_and_is_not_held_against_them(tmp_path):
    events = []
    with WorkerPool(1, worker, (str(tmp_path),), limit_s=1.0) as pool:
        for event in pool.run(["parts500"]):
            if event is not None:
                events.append(event.kind)
                if len(events) == 1:
                    time.sleep(1.5)
                    assert pool._events.qsize() <= 4
    assert events == ["part"] * 500 + ["done"]


def test_leaving_early_ends_the_processes(tmp_path):
    begun = time.monotonic()
    with WorkerPool(2, worker, (str(tmp_path),)) as pool:
        for event in pool.run(["a", "hang", "parts5000"]):
            if event is not None:
                break
        processes = [w.process for w in pool._workers]
        assert len(processes) == 2
    assert not any(process.is_alive() for process in processes)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "setup, complaint", [(unusable, "nothing to find faces"), (dies_at_start, "when they start")]
)
def test_workers_that_cannot_start(setup, complaint):
    with WorkerPool(1, setup) as pool, pytest.raises(EmoCLIPError, match=complaint):
        run(pool, ["a"])


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_processes_start_is_heard_afterwards_and_not_by_them(tmp_path):
    started = False
    with pytest.raises(KeyboardInterrupt):
        with unheard():
            process = SPAWN.Process(target=_ends_well, args=(tmp_path / "end",))
            process.start()
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(process.pid, signal.SIGINT)
            started = True
        # Another thread of this process may be the one that gets it, a moment later.
        for _ in range(200):
            time.sleep(0.05)
    process.join()
    assert started and process.exitcode == 0 and (tmp_path / "end").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_is_heard_again_where_it_comes_as_processes_have_started(monkeypatch):
    begin, end = threading.Event(), threading.Event()

    def late():
        begin.wait(10)
        signal.raise_signal(signal.SIGINT)  # caught by this thread, raised in the main one
        end.set()

    def restore(number, handler):
        before = original(number, handler)
        if handler is signal.default_int_handler:
            begin.set()
            end.wait(10)
        return before

    thread = threading.Thread(target=late)
    thread.start()
    original = signal.signal
    monkeypatch.setattr("emoclip_sdk.runtime.processes.signal.signal", restore)
    with pytest.raises(KeyboardInterrupt), unheard():
        pass
    thread.join()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def _ends_well(path):
    path.touch()
