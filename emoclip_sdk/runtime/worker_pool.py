"""Worker processes that are allowed to die.

For work that native code may crash or hang in, as a video decoder does on a damaged file: each
process does one job at a time, so that a death costs this job alone.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Literal

from ..errors import EmoCLIPError
from .processes import SPAWN, end_with_parent, unheard

__all__ = ["WorkerEvent", "WorkerPool"]

_MAX_FAILED_STARTS = 3
# Events that wait for the consumer. Each may be a batch of face crops, 10 MB.
_AHEAD = 4


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


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    job: int | None = None
    due: float = float("inf")  # when the job has taken too long


class WorkerPool:
    """Processes that each do one job after the other, where any of them may die or hang.

    Parameters
    ----------
    count : int
        Processes.
    setup : callable
        Called in each process as ``setup(send, *arguments)``; returns the function that does a job.
        That function may call ``send(part)`` for what should not wait for the end of the job. Must
        be a function of a module, as must what it is given.
    arguments : tuple
    limit_s : float, optional
        Seconds that a job may take. The time in which nobody takes the results does not count.
    attempts : int
        How often a job is tried whose process dies or hangs.

    Raises
    ------
    EmoCLIPError
        By :meth:`run`: the setup failed.

    Examples
    --------
    ::

        with WorkerPool(4, open_reader, (config,)) as pool:
            for event in pool.run(paths):
                ...
    """

    def __init__(
        self,
        count: int,
        setup: Callable[..., Callable[[Any], Any]],
        arguments: tuple[Any, ...] = (),
        *,
        limit_s: float | None = None,
        attempts: int = 2,
    ) -> None:
        self.count = count
        self.limit_s = limit_s
        self.attempts = attempts
        self._setup = setup
        self._arguments = arguments
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._closing = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._events: queue.Queue[Any] = queue.Queue(_AHEAD)

    def __enter__(self) -> WorkerPool:
        try:
            for _ in range(self.count):
                self._start()
        except BaseException:
            self.close()
            raise
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
        with self._starting:
            self._closing = True
            for worker in self._workers:
                worker.process.kill()  # which also wakes the thread that listens to it
        while self._thread is not None and self._thread.is_alive():
            with suppress(queue.Empty):
                self._events.get(timeout=0.05)
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def run(self, jobs: Iterable[Any]) -> Iterator[WorkerEvent | None]:
        """Do jobs; yield what happens as it happens.

        None is yielded when nothing has happened that was not yielded yet: the next event may take
        a while. When the consumer is slower than the processes, these wait for it.
        """
        self._thread = threading.Thread(target=self._listen, args=(jobs,), daemon=True)
        self._thread.start()
        while True:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                yield None
                event = self._events.get()
            if isinstance(event, BaseException):
                raise event
            if event is None:
                break
            yield event
        self._thread.join()

    def _listen(self, jobs: Iterable[Any]) -> None:
        """Put the events of a run into the queue, and None at its end."""
        end: BaseException | None = None
        try:
            for event in self._happens(jobs):
                begun = time.monotonic()
                self._events.put(event)
                waited = time.monotonic() - begun
                for worker in self._workers:
                    worker.due += waited
        except BaseException as error:
            end = error
        self._events.put(end)

    def _happens(self, jobs: Iterable[Any]) -> Iterator[WorkerEvent]:
        rest = enumerate(jobs)
        again: deque[tuple[int, Any]] = deque()
        upcoming: tuple[int, Any] | None = None
        content: dict[int, Any] = {}
        tries: dict[int, int] = {}
        while not self._closing:
            for worker in [None, *(w for w in self._workers if w.ready and w.job is None)]:
                if worker is not None and upcoming is not None:
                    worker.job, content[upcoming[0]] = upcoming
                    tries[worker.job] = tries.get(worker.job, 0) + 1
                    worker.due = time.monotonic() + (self.limit_s or float("inf"))
                    self._tell(worker, upcoming[1])
                    upcoming = None
                # Those that failed come last: what kills a process must not hold up the rest.
                upcoming = upcoming or next(rest, None) or (again.popleft() if again else None)
            if upcoming is None and not content:
                return
            heard = {w.pipe: w for w in self._workers if w.job is not None or not w.ready}
            soonest = min((w.due for w in heard.values()), default=0.0) - time.monotonic()
            for pipe in wait(list(heard), None if soonest == float("inf") else max(soonest, 0.0)):
                event = self._hear(heard[pipe])  # type: ignore[index]
                if event is not None and event.kind == "again":
                    if tries[event.job] < self.attempts:
                        again.append((event.job, content.pop(event.job)))
                    else:
                        event = WorkerEvent(event.job, "lost", event.value)
                if event is not None:
                    if event.kind in ("done", "lost"):
                        del content[event.job], tries[event.job]
                    yield event
            for worker in heard.values():
                if worker.due < time.monotonic() and not worker.pipe.closed:
                    worker.process.kill()  # the next round hears that it is dead

    def _hear(self, worker: _Worker) -> WorkerEvent | None:
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            return self._died(worker)
        if kind == "ready":
            worker.ready = True
            self._failed_starts = 0
        elif kind == "log":
            logging.getLogger(value.name).handle(value)
        elif kind == "error":
            raise EmoCLIPError(value)
        else:
            assert worker.job is not None
            event = WorkerEvent(worker.job, kind, value)
            if kind == "done":
                worker.job, worker.due = None, float("inf")
            return event
        return None

    def _died(self, worker: _Worker) -> WorkerEvent | None:
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        code = worker.process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if worker.job is None:
            self._failed_starts += 1
            if self._failed_starts >= _MAX_FAILED_STARTS and not self._closing:
                raise EmoCLIPError(f"the processes that read videos die when they start ({how})")
        self._start()
        if worker.job is None:
            return None
        why = f"the process that read it died ({how}: a crash of the decoder, or out of memory)"
        if worker.due < time.monotonic():
            why = f"reading it took longer than {self.limit_s:g} s"
        return WorkerEvent(worker.job, "again", why)

    def _start(self) -> None:
        with self._starting:
            if self._closing:
                return
            ours, theirs = SPAWN.Pipe()
            process = SPAWN.Process(
                target=_work, args=(theirs, self._setup, self._arguments), daemon=True
            )
            with unheard():
                process.start()
            theirs.close()  # so that the death of the process is the end of the pipe
            self._workers.append(_Worker(process, ours))

    @staticmethod
    def _tell(worker: _Worker, job: Any) -> None:
        with suppress(OSError):  # it has died, which is heard next
            worker.pipe.send(job)


class _LogSender(logging.handlers.QueueHandler):
    """Lets the parent say what a worker has to say: in its format, and not across its bar."""

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue(("log", record))  # type: ignore[operator]


def _work(
    pipe: Connection, setup: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]
) -> None:
    """Do jobs, one by one, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    one_at_a_time = threading.Lock()

    def send(message: tuple[str, Any]) -> None:
        with one_at_a_time:
            pipe.send(message)

    logging.getLogger().addHandler(_LogSender(send))  # type: ignore[arg-type]
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of the libraries, once for each process
    try:
        work = setup(lambda part: send(("part", part)), *arguments)
        send(("ready", None))
        while True:
            job = pipe.recv()
            send(("done", work(job)))
    except EmoCLIPError as error:
        send(("error", str(error)))
    except EOFError:
        pass  # the parent has no more to do
