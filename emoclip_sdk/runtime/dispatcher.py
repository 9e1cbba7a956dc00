"""The side of the parent: a thread that starts processes, gives them jobs and hears what they say.

The threads that take results share with it what stands under ``_lock``; processes and their pipes
are its own.
"""

from __future__ import annotations

import logging
import pickle
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from ..errors import EmoCLIPError
from .processes import SPAWN, sigint_blocked
from .worker_process import RemoteTraceback, run_worker

__all__ = ["Dispatcher", "JobRun", "WorkerEvent"]

_MAX_FAILED_STARTS = 3
# Seconds. A wait without an end is not interrupted where another thread catches the signal, and on
# Windows not at all.
_POLL_SECONDS = 0.5


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


class JobRun:
    """One call of `WorkerPool.run` or `map`: the events that its consumer has not taken yet."""

    def __init__(self, capacity: float, wake: Callable[[], None]) -> None:
        self.closed = False
        self._capacity = capacity
        self._wake = wake
        self._events: queue.SimpleQueue[WorkerEvent | tuple[BaseException, str]]
        self._events = queue.SimpleQueue()

    @property
    def full(self) -> bool:
        """Whether processes have to wait for the consumer."""
        return not self.closed and self._events.qsize() >= self._capacity

    def put(self, event: WorkerEvent | tuple[BaseException, str]) -> None:
        """Add an event, or an error with its traceback, unless nobody waits for it anymore."""
        if not self.closed:
            self._events.put(event)

    def get(self, *, block: bool = True) -> WorkerEvent | None:
        """Return the next event; None where there is none and `block` is False."""
        while True:
            try:
                event = self._events.get(block, _POLL_SECONDS)
                break
            except queue.Empty:
                if not block:
                    return None
        self._wake()
        if isinstance(event, WorkerEvent):
            return event
        error, text = event
        raise error from (RemoteTraceback(f"\n{text}") if text else None)


@dataclass(eq=False)
class _Task:
    run: JobRun
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


class Dispatcher:
    """Processes and the thread that listens to them; they start with the first job.

    Parameters
    ----------
    count, setup, arguments, timeout, attempts
        See :class:`~emoclip_sdk.runtime.worker_pool.WorkerPool`.
    """

    def __init__(
        self,
        count: int,
        setup: Callable[..., Callable[[Any], Any]],
        arguments: tuple[Any, ...],
        timeout: float | None,
        attempts: int,
    ) -> None:
        self.count = count
        self.timeout = timeout
        self.attempts = attempts
        self._setup = setup
        self._arguments = arguments
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._retries: deque[_Task] = deque()
        self._runs: list[JobRun] = []
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failure: BaseException | None = None
        self._woken, self._waker = SPAWN.Pipe(duplex=False)
        self._waking = threading.Lock()  # a pipe of Windows takes one message at a time

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        self._closing = True
        for worker in list(self._workers):
            worker.process.kill()
        if self._thread is not None:
            self._wake()
            with suppress(RuntimeError):  # Ctrl-C came before the thread had started
                self._thread.join()
        for worker in self._workers:  # with one that was started in the meantime
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()
        self._waker.close()
        self._woken.close()

    @contextmanager
    def open_run(self, capacity: float) -> Iterator[JobRun]:
        """Open a run; at the end of the block its jobs that are not begun are dropped.

        Parameters
        ----------
        capacity : float
            Events that wait for the consumer before the processes of the run wait, too.
        """
        run = JobRun(capacity, self._wake)
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._runs.append(run)
            if self._thread is None:
                self._start_thread()
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

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._serve_runs, daemon=True)
        try:
            self._thread.start()
        except BaseException:  # Ctrl-C: nobody can tell whether the thread runs
            self._closing = True
            self._failure = EmoCLIPError("the worker pool is closed")
            raise

    def submit(self, run: JobRun, number: int, job: Any) -> None:
        """Give a job of a run to whichever process is free first."""
        task = _Task(run, number, pickle.dumps(job))  # here, where an error can be raised
        with self._lock:
            self._waiting.append(task)
        self._wake()

    def _wake(self) -> None:
        with self._waking, suppress(OSError):  # the pool is closed
            self._waker.send_bytes(b".")

    def _serve_runs(self) -> None:
        """Start processes, give them tasks and hand on what they send; the work of the thread."""
        failure: tuple[BaseException, str] | None = None
        try:
            with sigint_blocked():  # the processes inherit it, and the main thread hears it
                while not self._closing and failure is None:
                    self._start_workers()
                    self._assign()
                    failure = self._listen()
        except BaseException as error:
            failure = error, ""
        failure = failure or (EmoCLIPError("the worker pool is closed"), "")
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
            with suppress(OSError):  # it has died, which is heard next
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
            return self._handle_death(worker)
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

    def _handle_death(self, worker: _Worker) -> tuple[BaseException, str] | None:
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
