"""What the commands that read whole studies share: a bar, a report, an exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from ..errors import BatchError
from ..runtime.progress import Progress, ProgressHook
from .output import complain, in_number, showing_progress

if TYPE_CHECKING:
    from ..batch import BatchReport

__all__ = ["carry_out"]

_SHOWN = 10  # failed videos that are named at the end; the output has them all


def carry_out(run: Callable[[ProgressHook], BatchReport], command: str) -> None:
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
        with showing_progress() as show:

            def note(progress: Progress) -> None:
                nonlocal done, total
                done, total = progress.done, progress.total
                show(progress)

            report = run(note)
    except BatchError as error:
        raise typer.BadParameter(str(error), param_hint=command) from None
    except KeyboardInterrupt:
        complain(f"stopped: {done} of {total} videos are done; the same command goes on from there")
        raise typer.Exit(130) from None
    complain(
        f"wrote {report.out}: {in_number(report.total, 'video')}, "
        f"{len(report.no_face)} without a face, {len(report.failed)} failed"
        + (f" ({report.skipped} were done before)" if report.skipped else "")
    )
    for name, why in list(report.failed.items())[:_SHOWN]:
        complain(f"{name}: {why}")
    if len(report.failed) > _SHOWN:
        complain(f"and {len(report.failed) - _SHOWN} more that failed, see the column 'error'")
    if report.failed:
        raise typer.Exit(1)
