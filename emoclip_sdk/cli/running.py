"""What becomes of errors, whichever of the two commands meets them."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings

import typer

from ..errors import EmoCLIPError

__all__ = ["DEBUG", "run"]

DEBUG = "EMOCLIP_DEBUG"
"""The environment variable that shows tracebacks and the libraries' warnings."""


_UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT)


def run(app: typer.Typer, name: str) -> None:
    """Run a command line and end the process with its exit code.

    An error of ours is one line on standard error and exit code 1, one that nobody expected asks
    for a report, and a reader that leaves early, as ``head`` does, is no error to speak of.
    """
    debug = bool(os.environ.get(DEBUG))
    if not debug:
        warnings.simplefilter("ignore")  # of the libraries; ours are log records
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name may hold bytes that are not text
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name=name)
        finally:
            sys.stdout.flush()
    except EmoCLIPError as error:
        if debug:
            traceback.print_exc()
        _print_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _silence_output()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        # What belongs to a file of a caller's is an error of ours before it comes here.
        if isinstance(error, OSError) and not error.filename and error.errno in _UNWRITABLE:
            _silence_output()
            _print_error(f"standard output can't be written ({error.strerror})")
            sys.exit(1)
        _print_error(
            f"unexpected {type(error).__name__}: {error}. This is a bug in emoclip_sdk; "
            f"run again with {DEBUG}=1 for the traceback to report"
        )
        sys.exit(1)


def _silence_output() -> None:
    """Keep Python from complaining once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(message: str) -> None:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
