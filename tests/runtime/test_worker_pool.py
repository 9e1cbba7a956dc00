"""Processes that die, hang or are slower or faster than the one that listens to them."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from emoclip_sdk.errors import EmoCLIPError, VideoError
from emoclip_sdk.runtime.worker_pool import WorkerPool


def worker(send, folder):
    """Do what the job says; `folder` remembers what was tried before."""

    def work(job):
        if job == "log":
            logging.getLogger("emoclip_sdk.test").warning("said in %s", "a worker")
        elif job.startswith("parts"):
            for i in range(int(job[5:])):
                send((i, bytes(1_000_000)))  # more than a pipe holds
                (Path(folder) / "sent").write_text(str(i + 1))
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
    with WorkerPool(2, worker, (str(tmp_path),), timeout=1.0) as pool:
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


def test_a_slow_consumer_stops_the_processes_and_is_not_held_against_them(tmp_path):
    events = []
    with WorkerPool(1, worker, (str(tmp_path),), timeout=1.0) as pool:
        for event in pool.run(["parts50"]):
            if event is not None:
                events.append(event.kind)
                if len(events) == 1:
                    time.sleep(1.5)
                    assert int((tmp_path / "sent").read_text()) <= 6
    assert events == ["part"] * 50 + ["done"]


def test_leaving_early_ends_the_processes(tmp_path):
    begun = time.monotonic()
    with WorkerPool(2, worker, (str(tmp_path),)) as pool:
        for event in pool.run(["a", "hang", "parts500"]):
            if event is not None:
                break
        processes = multiprocessing.active_children()
        assert len(processes) == 2
    assert not any(process.is_alive() for process in processes)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "setup, complaint", [(unusable, "nothing to find faces"), (dies_at_start, "when they start")]
)
def test_workers_that_cannot_start(setup, complaint):
    with WorkerPool(1, setup) as pool, pytest.raises(EmoCLIPError, match=complaint):
        run(pool, ["a"])


STARTS = """
import os, signal, sys, time
from emoclip_sdk.runtime.worker_pool import WorkerPool
if __name__ == "__main__":
    with WorkerPool(2) as pool:
        print("ready", flush=True)
        list(pool.map((time.sleep, 60) for _ in range(2)))
"""


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.5])
def test_ctrl_c_while_processes_start_is_heard_once_and_not_by_them(tmp_path, delay):
    script = tmp_path / "starts.py"
    script.write_text(STARTS)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("started", [False, True])
def test_ctrl_c_while_the_thread_starts(monkeypatch, started):
    start = threading.Thread.start

    def interrupted(thread):
        if started:
            start(thread)
        raise KeyboardInterrupt

    pool = WorkerPool(1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), pool:
        patch.setattr(threading.Thread, "start", interrupted)
        list(pool.map([(max, 1, 2)]))
    with pytest.raises(EmoCLIPError, match="closed"):
        list(pool.map([(max, 1, 2)]))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_processes_that_start_do_not_hear_ctrl_c():
    with WorkerPool(1) as pool:
        events = pool.run([(os.getpid,)])
        assert next(events) is None
        while not (started := multiprocessing.active_children()):
            time.sleep(0.005)
        os.kill(started[0].pid, signal.SIGINT)
        assert [e.value for e in events if e is not None] == [started[0].pid]


def slow_first(number):
    time.sleep(0.2 if number == 0 else 0)
    return number, os.getpid()


def test_map_keeps_the_order_and_the_processes():
    with WorkerPool(2) as pool:
        results = list(pool.map((slow_first, i) for i in range(40)))
        again = list(pool.map([(slow_first, 7)]))
    assert [number for number, _ in results] == list(range(40))
    processes = {process for _, process in results}
    assert {again[0][1]} <= processes and os.getpid() not in processes and len(processes) <= 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_no_processes_means_here(tmp_path):
    with WorkerPool(0) as pool:
        assert list(pool.map([(slow_first, 1), (slow_first, 2)])) == [
            (1, os.getpid()),
            (2, os.getpid()),
        ]
    with WorkerPool(0, worker, (str(tmp_path),)) as pool:
        assert [e[1] for e in run(pool, ["parts2", "a"])] == ["part", "part", "done", "done"]


def test_jobs_are_taken_little_ahead_and_runs_do_not_disturb_each_other():
    jobs = []

    def endless():
        while True:
            jobs.append((abs, -len(jobs)))
            yield jobs[-1]

    with WorkerPool(1) as pool:
        results = pool.map(endless())
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert list(pool.map([(abs, -5), (abs, -6)])) == [5, 6]
        assert next(results) == 3
        results.close()
        assert list(pool.map([(abs, -7)])) == [7]
        assert len(jobs) <= 4 + 8
        # As many as the consumer says that it will want at once.
        jobs.clear()
        results = pool.map(endless(), ahead=40)
        assert next(results) == 0 and len(jobs) == 40
        results.close()


def test_error_of_a_job_and_death_of_a_process():
    with WorkerPool(1) as pool:
        with pytest.raises(ValueError, match="math domain|nonnegative") as raised:
            list(pool.map([(math.sqrt, 4), (math.sqrt, -1)]))
        assert "worker_process.py" in str(raised.value.__cause__)  # where in the process
        assert list(pool.map([(math.sqrt, 9)])) == [3.0]
        with pytest.raises(EmoCLIPError, match=r"died \(exit code 3.*Take fewer workers"):
            list(pool.map([(os._exit, 3)]))
        with pytest.raises(EmoCLIPError, match="a.mp4: no video"):  # its class can't be pickled
            list(pool.map([(_video_error,)]))
        with pytest.raises((AttributeError, pickle.PicklingError)):
            list(pool.map([(lambda: 1,)]))
        assert list(pool.map([(math.sqrt, 9)])) == [3.0]


def _video_error():
    raise VideoError("a.mp4", "no video")
