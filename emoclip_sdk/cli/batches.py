"""What the commands that read whole studies share: a bar, a report, an exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ..errors import BatchError
from .output import complain, progress_bar

if TYPE_CHECKING:
    from ..batch import BatchReport

__all__ = ["Progress", "carry_out"]

Progress = Callable[[int, int, str], None]

_SHOWN = 10  # failed videos that are named at the end; the output has them all


def carry_out(run: Callable[[Progress], BatchReport], command: str) -> None:
    """Run a batch with a bar, and say what has become of it.

    Raises
    ------
    typer.BadParameter
        The batch can't be begun.
    typer.Exit
        1: some videos failed; 130: it was stopped.
    """
    done = total = 0
    try:
        with _bar() as show:

            def progress(finished: int, of: int, name: str) -> None:
                nonlocal done, total
                done, total = finished, of
                show(finished, of, name)

            report = run(progress)
    except BatchError as error:
        raise typer.BadParameter(str(error), param_hint=command) from None
    except KeyboardInterrupt:
        complain(f"stopped: {done} of {total} videos are done; the same command goes on from there")
        raise typer.Exit(130) from None
    complain(
        f"wrote {report.out}: {report.total} videos, {len(report.no_face)} without a face, "
        f"{len(report.failed)} failed"
        + (f" ({report.skipped} were done before)" if report.skipped else "")
    )
    for name, why in list(report.failed.items())[:_SHOWN]:
        complain(f"{name}: {why}")
    if len(report.failed) > _SHOWN:
        complain(f"and {len(report.failed) - _SHOWN} more that failed, see the column 'error'")
    if report.failed:
        raise typer.Exit(1)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show how many videos are done and how long the rest takes, on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    name = TextColumn("{task.description}", markup=False)
    with progress_bar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), name) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        yield show
