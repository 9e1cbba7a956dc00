"""What goes to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import IO, TYPE_CHECKING, Any

from ..results.reliability import reliability_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.table import Table
    from rich.text import Text

    from ..results.records import Prediction
    from ..results.reliability import LabelReliability
    from ..results.scored_windows import TimelineRow

__all__ = [
    "NO_FACE",
    "complain",
    "label_text",
    "new_table",
    "print_json",
    "print_reliability",
    "progress",
    "progress_bar",
    "progress_console",
    "results_console",
    "score_list",
    "working",
]

NO_FACE = "no face"
_PIPE_WIDTH = 200


def results_console() -> Console:
    """Return the console of the results. Names of files and labels are printed as they are."""
    return _console(sys.stdout)


def progress_console() -> Console:
    """Return the console of what is said meanwhile."""
    return _console(sys.stderr)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    # Where nobody looks, rich would assume 80 columns and break long names.
    width = None if file.isatty() else _PIPE_WIDTH
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)


def new_table(*columns: str) -> Table:
    """Return an empty table; `columns` whose name ends in ``>`` are right-aligned."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, caption_justify="left")
    for name in columns:
        right = name.endswith(">")
        table.add_column(
            name.rstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=right
        )
    return table


def label_text(result: Prediction | TimelineRow) -> Text:
    """Return the best label with those that can't be told from it, or that none of them fits."""
    from rich.text import Text

    if result.abstained:
        return Text(f"none of these ({result.label}?)", "yellow")
    return Text(str(result.answer), "bold")


def print_reliability(console: Console, reliability: Mapping[str, LabelReliability]) -> None:
    """Print how far the labels can be trusted, below a table of their scores."""
    for line in reliability_lines(reliability):
        console.print(line, style="dim")


def score_list(ranked: Sequence[tuple[str, float]]) -> str:
    """Return ``happiness 0.62  surprise 0.21``."""
    return "  ".join(f"{label} {score:.2f}" for label, score in ranked)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=not utf8, allow_nan=False))


def complain(message: str) -> None:
    """Print one line about something that went wrong."""
    print(" ".join(message.split()), file=sys.stderr)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something takes a while; keep what libraries print out of the results."""
    with progress(1) as begin:
        begin(what)
        yield


@contextmanager
def progress_bar(*columns: ProgressColumn) -> Iterator[Progress]:
    """Show a bar on a terminal.

    Whatever is printed meanwhile, by any library, goes to standard error.
    """
    from rich.progress import Progress

    console = progress_console()
    bar = Progress(*columns, console=console, transient=True)
    # Not begun elsewhere: at its end, some versions of rich print an empty line.
    with redirect_stdout(sys.stderr), bar if console.is_terminal else nullcontext():
        yield bar


@contextmanager
def progress(n: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of `n` steps, as `progress_bar`; yields the function that begins the next one."""
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn

    columns: list[ProgressColumn] = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
    ]
    if n > 1:
        columns += [BarColumn(), MofNCompleteColumn()]
    with progress_bar(*columns) as bar:
        task = bar.add_task("", total=n)
        begun = -1

        def begin(what: str) -> None:
            nonlocal begun
            begun += 1
            bar.update(task, description=what, completed=begun)

        yield begin
