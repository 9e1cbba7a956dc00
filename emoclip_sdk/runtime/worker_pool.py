"""Worker processes that are allowed to die.

For work that native code may crash or hang in, as a video decoder does on a damaged file: each
process does one job at a time, so that a death costs this job alone.
"""

from __future__ import annotations

import itertools
import logging
import pickle
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Literal

from ..errors import EmoCLIPError
from .processes import SPAWN, sigint_blocked
from .worker_process import RemoteTraceback, run_worker

__all__ = ["WorkerEvent", "WorkerPool"]

_MAX_FAILED_STARTS = 3
# Jobs of a run that are under way, wait for a process or have results that wait, for each process.
_AHEAD = 8
# Events of `run` that wait for the consumer. Each may be a batch of face crops, 10 MB.
_EVENTS = 4


@dataclass(frozen=True)
class WorkerEvent:
    """Something that happened to a job.

    Attributes
    ----------
    job : int
        Its position among the jobs.
    kind : {"part", "done", "again", "lost"}
        A part of the result came; the job is done; its process died or hung and it will be tried
        again, so that its parts so far count for nothing; or the same and it will not.
    value
        The part, or the result; for "again" and "lost" what happened, a str.
    """

    job: int
    kind: Literal["part", "done", "again", "lost"]
    value: Any


class _Run:
    """One call of `run` or `map`: the events that its consumer has not taken yet."""

    def __init__(self, capacity: float, wake: Callable[[], None]) -> None:
        self.closed = False
        self._capacity = capacity
        self._wake = wake
        self._events: queue.SimpleQueue[WorkerEvent | tuple[BaseException, str]]
        self._events = queue.SimpleQueue()

    @property
    def full(self) -> bool:
        return not self.closed and self._events.qsize() >= self._capacity

    def put(self, event: WorkerEvent | tuple[BaseException, str]) -> None:
        if not self.closed:
            self._events.put(event)

    def get(self, *, block: bool = True) -> WorkerEvent | None:
        """Return the next event; None where there is none and `block` is False."""
        try:
            event = self._events.get(block)
        except queue.Empty:
            return None
        self._wake()
        if isinstance(event, WorkerEvent):
            return event
        error, text = event
        raise error from (RemoteTraceback(f"\n{text}") if text else None)


@dataclass(eq=False)
class _Task:
    run: _Run
    job: int
    pickled: bytes
    attempts: int = 0


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    task: _Task | None = None
    due: float = float("inf")  # when the task has taken too long
    hung: bool = False


def _any_function(send: Callable[[Any], None]) -> Callable[[tuple[Any, ...]], Any]:
    """Do jobs that name their function."""

    def work(job: tuple[Any, ...]) -> Any:
        function, *arguments = job
        return function(*arguments)

    return work


class WorkerPool:
    """Processes that each do one job after the other, where any of them may die or hang.

    They are started when there is something for them to do, which takes seconds for their imports,
    and end with the ``with`` block, whatever they are doing. Any number of :meth:`run` and
    :meth:`map` may be under way at once.

    Parameters
    ----------
    count : int
        Processes; 0: there are none, and jobs are done in this process.
    setup : callable, optional
        Called in each process as ``setup(send, *arguments)``; returns the function that does a job.
        That function may call ``send(part)`` for what should not wait for the end of the job. Must
        be a function of a module, as must what it is given. By default a job is a tuple of a
        function of a module and its arguments.
    arguments : tuple
    timeout : float, optional
        Seconds that a job may take. The time in which nobody takes the results does not count.
    attempts : int
        How often a job is tried whose process dies or hangs.

    Examples
    --------
    ::

        with WorkerPool(4, open_reader, (config,)) as pool:
            for event in pool.run(paths):
                ...

    >>> with WorkerPool(0) as pool:
    ...     list(pool.map([(max, 1, 2), (max, 4, 3)]))
    [2, 4]
    """

    def __init__(
        self,
        count: int,
        setup: Callable[..., Callable[[Any], Any]] = _any_function,
        arguments: tuple[Any, ...] = (),
        *,
        timeout: float | None = None,
        attempts: int = 2,
    ) -> None:
        self.count = count
        self.timeout = timeout
        self.attempts = attempts
        self._setup = setup
        self._arguments = arguments
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        # What the threads that consume and the one that listens to the processes share.
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._retries: deque[_Task] = deque()
        self._runs: list[_Run] = []
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failure: BaseException | None = None
        self._woken, self._waker = SPAWN.Pipe(duplex=False)
        self._waking = threading.Lock()  # a pipe of Windows takes one message at a time

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        self._closing = True
        for worker in list(self._workers):
            worker.process.kill()
        if self._thread is not None:
            self._wake()
            self._thread.join()
        for worker in self._workers:  # with one that was started in the meantime
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()
        self._waker.close()
        self._woken.close()

    def run(self, jobs: Iterable[Any]) -> Iterator[WorkerEvent | None]:
        """Do jobs; yield what happens as it happens.

        None is yielded when nothing has happened that was not yielded yet: the next event may take
        a while. When the consumer is slower than the processes, these wait for it.

        Raises
        ------
        Exception
            The setup or a job raised it.
        EmoCLIPError
            Processes die when they start.
        """
        if not self.count:
            yield from self._run_here(jobs)
            return
        rest = enumerate(jobs)
        under_way = 0
        with self._open_run(_EVENTS) as run:
            while True:
                for number, job in itertools.islice(rest, _AHEAD * self.count - under_way):
                    self._submit(run, number, job)
                    under_way += 1
                if not under_way:
                    return
                event = run.get(block=False)
                if event is None:
                    yield None
                    event = run.get()
                assert event is not None
                under_way -= event.kind in ("done", "lost")
                yield event

    def map(self, jobs: Iterable[Any]) -> Iterator[Any]:
        """Do jobs; yield their results in the order of the jobs, without their parts.

        Jobs are taken ahead of results, 8 for each process, so they must not depend on them.

        Raises
        ------
        Exception
            The setup or a job raised it.
        EmoCLIPError
            The processes of a job died or hung each time, or processes die when they start.
        """
        if not self.count:
            yield from (event.value for event in self._run_here(jobs) if event.kind == "done")
            return
        rest = enumerate(jobs)
        begun = 0
        results: dict[int, Any] = {}
        with self._open_run(float("inf")) as run:
            for awaited in itertools.count():
                for number, job in itertools.islice(rest, _AHEAD * self.count - begun + awaited):
                    self._submit(run, number, job)
                    begun += 1
                if awaited == begun:
                    return
                while awaited not in results:
                    event = run.get()
                    assert event is not None
                    if event.kind == "lost":
                        raise EmoCLIPError(
                            f"a worker process failed: {event.value}. Take fewer workers, or "
                            "none: then the error shows itself"
                        )
                    if event.kind == "done":
                        results[event.job] = event.value
                yield results.pop(awaited)

    def _run_here(self, jobs: Iterable[Any]) -> Iterator[WorkerEvent]:
        parts: list[Any] = []
        work = self._setup(parts.append, *self._arguments)
        for number, job in enumerate(jobs):
            result = work(job)
            yield from (WorkerEvent(number, "part", part) for part in parts)
            parts.clear()
            yield WorkerEvent(number, "done", result)

    @contextmanager
    def _open_run(self, capacity: float) -> Iterator[_Run]:
        run = _Run(capacity, self._wake)
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._runs.append(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve_runs, daemon=True)
                self._thread.start()
        try:
            yield run
        finally:
            run.closed = True
            with self._lock:
                if run in self._runs:
                    self._runs.remove(run)
                for tasks in (self._waiting, self._retries):
                    for task in [task for task in tasks if task.run is run]:
                        tasks.remove(task)
            self._wake()

    def _submit(self, run: _Run, number: int, job: Any) -> None:
        task = _Task(run, number, pickle.dumps(job))  # here, where an error can be raised
        with self._lock:
            self._waiting.append(task)
        self._wake()

    def _wake(self) -> None:
        with self._waking, suppress(OSError):  # the pool is closed
            self._waker.send_bytes(b".")

    def _serve_runs(self) -> None:
        """Start processes, give them tasks and hand on what they send; the work of the thread."""
        failure: tuple[BaseException, str] = (EmoCLIPError("the worker pool is closed"), "")
        try:
            while not self._closing:
                self._start_workers()
                self._assign()
                failed = self._listen()
                if failed is not None:
                    failure = failed
                    break
        except BaseException as error:
            failure = error, ""
        with self._lock:
            self._failure = failure[0]
            for run in self._runs:
                run.put(failure)
            self._runs.clear()

    def _start_workers(self) -> None:
        """Start as many processes as there are tasks that no process is left for."""
        while not self._closing:
            with self._lock:
                tasks = len(self._waiting) + len(self._retries)
            free = sum(worker.task is None for worker in self._workers)
            if len(self._workers) >= self.count or free >= tasks:
                return
            ours, theirs = SPAWN.Pipe()
            process = SPAWN.Process(
                target=run_worker, args=(theirs, self._setup, self._arguments), daemon=True
            )
            with sigint_blocked():
                process.start()
            theirs.close()  # so that the death of the process is the end of the pipe
            self._workers.append(_Worker(process, ours))

    def _assign(self) -> None:
        for worker in self._workers:
            if not worker.ready or worker.task is not None:
                continue
            with self._lock:
                # Those that failed come last: what kills a process must not hold up the rest.
                tasks = self._waiting or self._retries
                if not tasks:
                    return
                worker.task = tasks.popleft()
            worker.task.attempts += 1
            worker.due = time.monotonic() + (self.timeout or float("inf"))
            with suppress(OSError):  # it has died, which is sources next
                worker.pipe.send_bytes(worker.task.pickled)

    def _listen(self) -> tuple[BaseException, str] | None:
        """Wait for messages and hand them on; return what makes the processes unusable."""
        sources: dict[Any, _Worker | None] = {self._woken: None}
        full = [w for w in self._workers if w.task is not None and w.task.run.full]
        sources |= {worker.pipe: worker for worker in self._workers if worker not in full}
        begun = time.monotonic()
        soonest = min((w.due for w in sources.values() if w is not None), default=float("inf"))
        limit = None if soonest == float("inf") else max(soonest - begun, 0.0)
        for pipe in wait(list(sources), limit):
            worker = sources[pipe]
            if worker is None:
                while self._woken.poll():
                    self._woken.recv_bytes()
            else:
                failure = self._receive(worker)
                if failure is not None:
                    return failure
        now = time.monotonic()
        for worker in self._workers:
            if worker in full:
                worker.due += now - begun
            elif worker.due < now and not worker.hung:
                worker.hung = True
                worker.process.kill()  # the next round hears that it is dead
        return None

    def _receive(self, worker: _Worker) -> tuple[BaseException, str] | None:
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        if kind == "unusable":
            return value
        if kind == "log":
            logging.getLogger(value.name).handle(value)
            return None
        if kind == "ready":
            worker.ready = True
            self._failed_starts = 0
            return None
        task = worker.task
        assert task is not None
        if kind in ("done", "failed"):
            worker.task, worker.due = None, float("inf")
        task.run.put(value if kind == "failed" else WorkerEvent(task.job, kind, value))
        return None

    def _bury(self, worker: _Worker) -> tuple[BaseException, str] | None:
        """Forget a process that died; its task is tried again or lost."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        code = worker.process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        task = worker.task
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                return EmoCLIPError(f"worker processes die when they start ({how})"), ""
        if task is None or task.run.closed:
            return None
        if worker.hung:
            reason = f"reading it took longer than {self.timeout:g} s"
        else:
            reason = (
                f"the process that read it died ({how}: a crash of the decoder, or out of memory)"
            )
        if task.attempts < self.attempts:
            with self._lock:
                self._retries.append(task)
            task.run.put(WorkerEvent(task.job, "again", reason))
        else:
            task.run.put(WorkerEvent(task.job, "lost", reason))
        return None
