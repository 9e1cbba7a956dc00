"""What goes to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from ..results.reliability import reliability_lines
from ..runtime.metering import numbered
from ..runtime.progress import Progress, ProgressHook

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    from ..faces import TrackPerson
    from ..results.records import Prediction
    from ..results.reliability import LabelReliability
    from ..results.scored_windows import TimelineRow

__all__ = [
    "NO_FACE",
    "Quiet",
    "ScoreList",
    "complain",
    "in_number",
    "label_text",
    "new_table",
    "person_text",
    "print_json",
    "print_reliability",
    "progress",
    "results_console",
    "score_list",
    "showing_progress",
    "working",
]

NO_FACE = "no face"
_PIPE_WIDTH = 200


def results_console() -> Console:
    """Return the console of the results. Names of files and labels are printed as they are."""
    from rich.console import Console

    # Where nobody looks, rich would assume 80 columns and break long names.
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(file=sys.stdout, width=width, markup=False, emoji=False, highlight=False)


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


def person_text(person: TrackPerson | None) -> Text:
    """Return who a face is, or that this is not sure."""
    from rich.text import Text

    if person is None or person.name is None:
        return Text((person and person.reason) or "", "yellow")
    return Text(person.name)


def print_reliability(console: Console, reliability: Mapping[str, LabelReliability]) -> None:
    """Print how far the labels can be trusted, below a table of their scores."""
    for line in reliability_lines(reliability):
        console.print(line, style="dim")


def score_list(ranked: Sequence[tuple[str, float]]) -> ScoreList:
    """Return ``happiness 0.62  surprise 0.21``, to be printed by rich."""
    return ScoreList([f"{label} {score:.2f}" for label, score in ranked])


class ScoreList:
    """Labels with their scores; where they need several lines, each label keeps its score.

    Parameters
    ----------
    pairs : sequence of str
        A label and its score each.
    """

    def __init__(self, pairs: Sequence[str]) -> None:
        self.pairs = pairs

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.cells import cell_len
        from rich.measure import Measurement

        widths = [cell_len(pair) for pair in self.pairs] or [0]
        return Measurement(max(widths), sum(widths) + 2 * (len(widths) - 1))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.cells import cell_len
        from rich.text import Text

        lines: list[str] = []
        for pair in self.pairs:
            if lines and cell_len(f"{lines[-1]}  {pair}") <= options.max_width:
                lines[-1] += f"  {pair}"
            else:
                lines.append(pair)
        yield Text("\n".join(lines), overflow="fold")


def in_number(n: int, noun: str) -> str:
    """Return ``1 video``, ``2 videos``."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def print_json(value: Any) -> None:
    """Print one JSON document."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=not utf8, allow_nan=False))


def complain(message: str) -> None:
    """Print one line about something that went wrong."""
    print(" ".join(message.split()), file=sys.stderr)


class Quiet:
    """Whether the command line was asked to show no progress."""

    asked = False


@contextmanager
def showing_progress() -> Iterator[ProgressHook]:
    """Show a bar on a terminal; yields what it is told.

    Whatever is printed meanwhile, by any library, goes to standard error.
    """
    from ..runtime.progress_bar import ProgressBar

    with redirect_stdout(sys.stderr):
        if Quiet.asked:
            yield lambda progress: None
        else:
            with ProgressBar() as bar:
                yield bar


@contextmanager
def working(name: str) -> Iterator[ProgressHook]:
    """Show a bar while one thing is done, as :func:`showing_progress`."""
    with progress(1) as begin:
        yield begin(name)


@contextmanager
def progress(n: int) -> Iterator[Callable[[str], ProgressHook]]:
    """Show a bar of `n` videos or steps, as :func:`showing_progress`.

    Yields the function that begins the next one, and returns what that one tells of itself.
    """
    with showing_progress() as hook:
        begun = time.monotonic()
        numbers = itertools.count()

        def begin(name: str) -> ProgressHook:
            own = numbered(hook, next(numbers), n, begun, name)
            own(Progress(name))
            return own

        yield begin
