"""The side of a worker process: sets itself up, does one job after the other, sends what comes."""

from __future__ import annotations

import logging
import logging.handlers
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from ..errors import EmoCLIPError
from .processes import end_with_parent

__all__ = ["RemoteTraceback", "run_worker"]


class RemoteTraceback(Exception):
    """The traceback of an error in a worker process, as the cause of the error raised here."""


class _LogForwarder(logging.handlers.QueueHandler):
    """Lets the parent log a worker's records: in its format, and not across its progress bar."""

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue(("log", record))  # type: ignore[operator]


def run_worker(
    pipe: Connection, setup: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]
) -> None:
    """Do jobs until the pipe ends; the main function of a worker process.

    Parameters
    ----------
    pipe : Connection
        Jobs come as pickles. Pairs of a kind and a value go back: "ready", "log", "part", "done",
        and for errors "failed" (of a job) and "unusable" (of the setup).
    setup, arguments
        See :class:`~emoclip_sdk.runtime.worker_pool.WorkerPool`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    one_at_a_time = threading.Lock()

    def send(message: tuple[str, Any]) -> None:
        with one_at_a_time:
            pipe.send(message)

    logging.getLogger().addHandler(_LogForwarder(send))  # type: ignore[arg-type]
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of the libraries, once for each process
    try:
        work = setup(lambda part: send(("part", part)), *arguments)
    except Exception as error:
        send(("unusable", _portable(error)))
        return
    send(("ready", None))
    while True:
        try:
            job = pipe.recv_bytes()
        except EOFError:  # the parent has no more to do
            return
        try:
            send(("done", work(pickle.loads(job))))
        except Exception as error:
            send(("failed", _portable(error)))


def _portable(error: Exception) -> tuple[Exception, str]:
    """Return an error that survives being pickled, and its traceback."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # of a class whose arguments are not its message
        kind = EmoCLIPError if isinstance(error, EmoCLIPError) else RuntimeError
        error = kind(str(error) if kind is EmoCLIPError else f"{type(error).__name__}: {error}")
    return error, text
