"""Figures of a run: lines on stderr, ``log.csv``, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path
from typing import Any

from .state import write_text

__all__ = ["RunLog"]

log = logging.getLogger(__name__)


class RunLog:
    """Writes the figures of a run.

    ``log.csv`` holds nothing that depends on the clock: an interrupted run writes the same file
    as one that was not.

    Parameters
    ----------
    folder : Path
        Run folder.
    done : int
        Steps that the state holds; later lines of an interrupted run are dropped.
    total, size : int
        Steps of the run, and samples of a step over all processes.
    """

    def __init__(self, folder: Path, done: int, total: int, size: int) -> None:
        self._path = folder / "log.csv"
        self._total, self._size = total, size
        self._start, self._first = time.monotonic(), done
        self._columns: list[str] = []
        self._cut(done)
        self._board = _tensorboard(folder / "tensorboard", done) if done < total else None

    def step(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """Record figures of a step; `step` counts from 1 over the whole run."""
        row = {"epoch": epoch, "step": step, **figures}
        new = not self._columns
        if new:
            self._columns = list(row)
        with self._path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
            if new:
                writer.writeheader()
            writer.writerow(row)
        self._scalars("train", figures, step)
        elapsed = max(time.monotonic() - self._start, 1e-9)
        rate = (step - self._first) / elapsed
        rest = (self._total - step) / rate
        log.info(
            "epoch %d, step %d/%d: %s, %.1f samples/s, %s to go",
            epoch,
            step,
            self._total,
            ", ".join(f"{name} {value:.4g}" for name, value in _short(figures).items()),
            rate * self._size,
            f"{int(rest) // 3600}:{int(rest) // 60 % 60:02d}:{int(rest) % 60:02d}",
        )

    def epoch(self, epoch: int, step: int, figures: dict[str, float], best: bool) -> None:
        """Record the validation after an epoch."""
        self._scalars("valid", figures, step)
        listed = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        log.info("epoch %d, validation: %s%s", epoch, listed, ", the best so far" if best else "")

    def close(self) -> None:
        """Flush what is still in memory."""
        if self._board is not None:
            self._board.close()

    def _scalars(self, group: str, figures: dict[str, float], step: int) -> None:
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{group}/{name}", value, step)

    def _cut(self, done: int) -> None:
        """Drop lines of steps that will be done again."""
        try:
            rows = list(csv.DictReader(io.StringIO(self._path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return
        kept = [
            row for row in rows if (row.get("step") or "").isdigit() and int(row["step"]) <= done
        ]
        if not kept:
            self._path.unlink()
            return
        self._columns = [name for name in kept[0] if name is not None]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
        write_text(self._path, text.getvalue())


def _short(figures: dict[str, float]) -> dict[str, float]:
    """Name one learning rate where all parts have the same."""
    rates = {name: value for name, value in figures.items() if name.startswith("lr ")}
    if len(set(rates.values())) != 1:
        return figures
    rest = {name: value for name, value in figures.items() if name not in rates}
    loss = rest.pop("loss")
    return {"loss": loss, "lr": next(iter(rates.values())), **rest}


def _tensorboard(folder: Path, done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=done + 1)
