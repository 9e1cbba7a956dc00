"""Worker processes that are allowed to die.

For work that native code may crash or hang in, as a video decoder does on a damaged file: each
process does one job at a time, so that a death costs this job alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from ..errors import EmoCLIPError
from .dispatcher import Dispatcher, WorkerEvent

__all__ = ["WorkerPool"]

# Jobs of a run that are under way, wait for a process or have results that wait, for each process.
_AHEAD = 8
# Events of `run` that wait for the consumer. Each may be a batch of face crops, 10 MB.
_EVENTS = 4


def _call_function(send: Callable[[Any], None]) -> Callable[[tuple[Any, ...]], Any]:
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
        setup: Callable[..., Callable[[Any], Any]] = _call_function,
        arguments: tuple[Any, ...] = (),
        *,
        timeout: float | None = None,
        attempts: int = 2,
    ) -> None:
        self.count = count
        self._setup = setup
        self._arguments = arguments
        self._dispatcher = Dispatcher(count, setup, arguments, timeout, attempts)

    def __enter__(self) -> WorkerPool:
        """Return the pool."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        self._dispatcher.close()

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
        with self._dispatcher.open_run(_EVENTS) as run:
            while True:
                for number, job in itertools.islice(rest, _AHEAD * self.count - under_way):
                    self._dispatcher.submit(run, number, job)
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

    def map(self, jobs: Iterable[Any], ahead: int | None = None) -> Iterator[Any]:
        """Do jobs; yield their results in the order of the jobs, without their parts.

        Jobs are taken ahead of results, so they must not depend on them.

        Parameters
        ----------
        jobs : iterable of tuple
        ahead : int, optional
            How many are taken ahead, and so how many results may wait. At least 8 for each process,
            so that none of them waits for jobs.

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
        ahead = max(ahead or 0, _AHEAD * self.count)
        with self._dispatcher.open_run(float("inf")) as run:
            for awaited in itertools.count():
                for number, job in itertools.islice(rest, ahead - begun + awaited):
                    self._dispatcher.submit(run, number, job)
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
