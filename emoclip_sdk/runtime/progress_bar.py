"""A bar that shows progress: in a terminal on standard error, or below the cell of a notebook."""

from __future__ import annotations

import sys
import threading
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ProgressBar"]

DELAY = 1.0
"""Seconds that are short enough to wait without a bar."""

_STEPS = 1000  # of a bar


class ProgressBar:
    """Shows what it is called with, once the work has taken a second; then it is gone.

    To be used in a ``with`` block. Where nobody looks, as in a pipe, it shows nothing.
    """

    def __init__(self) -> None:
        self._display: _Terminal | _Notebook | None = None
        if _in_notebook():
            self._display = _Notebook()
        elif sys.stderr is not None and sys.stderr.isatty():
            self._display = _Terminal()
        self._latest: Progress | None = None
        self._lock = threading.Lock()
        self._open = False
        self._timer = threading.Timer(DELAY, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> ProgressBar:
        if self._display is not None:
            self._timer.start()
        return self

    def __call__(self, progress: Progress) -> None:
        """Show how far the call is."""
        with self._lock:
            self._latest = progress
            if self._open and self._display is not None:
                self._display.show(progress)

    def _begin(self) -> None:
        with self._lock:
            if self._timer.finished.is_set() or self._display is None:
                return
            self._open = True
            self._display.open(self._latest or Progress(""))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._open and self._display is not None:
                self._open = False
                self._display.close()


class _Terminal:
    """A line of rich's."""

    def __init__(self) -> None:
        self._bar: Any = None

    def open(self, progress: Progress) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(file=sys.stderr, markup=False, emoji=False, highlight=False)
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
            expand=True,
            # A result that goes to a file is none of the bar's.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("", total=None, state="")
        self.show(progress)
        self._bar.start()

    def show(self, progress: Progress) -> None:
        share = progress.fraction
        self._bar.update(
            self._task,
            description=_shortened(progress.name, self._bar.console),
            total=None if share is None else _STEPS,
            completed=0 if share is None else share * _STEPS,
            state=progress.state,
        )

    def close(self) -> None:
        self._bar.stop()


def _shortened(name: str, console: Console) -> str:
    """Return the end of a name, which says more than the folders before it."""
    room = max(console.width // 3, 10)
    return name if len(name) <= room else "…" + name[1 - room :]


class _Notebook:
    """A bar of the browser's. rich would need ipywidgets, which many notebooks lack."""

    def __init__(self) -> None:
        self._handle: Any = None

    def open(self, progress: Progress) -> None:
        from IPython.display import HTML, display

        self._handle = display(HTML(""), display_id=True)
        self.show(progress)

    def show(self, progress: Progress) -> None:
        from IPython.display import HTML

        share = progress.fraction
        value = "" if share is None else f' value="{share:.3f}"'
        self._handle.update(HTML(f"<progress{value}></progress> {escape(str(progress))}"))

    def close(self) -> None:
        from IPython.display import HTML

        self._handle.update(HTML(""))


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None
