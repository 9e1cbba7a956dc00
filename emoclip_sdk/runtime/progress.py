"""How far a call is: what `progress=` is told, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "ProgressHook", "ProgressOption"]


@dataclass(frozen=True)
class Progress:
    """How far a call is. ``str()`` says it in a line.

    Attributes
    ----------
    name : str
        What is worked on: a video, or a step.
    done, total : int
        Videos, clips or steps that are done, and all of them.
    seconds : float, optional
        Of the video that is being read: how much of its time is done.
    duration : float, optional
        Of the same, or of the part that is read, as far as its file says; of a pipe it is not
        known.
    speed : float, optional
        Seconds of video for each second of work: 2 is twice as fast as it plays.
    remaining : float, optional
        Seconds until the call is done, as far as can be told.
    """

    name: str
    done: int = 0
    total: int = 1
    seconds: float | None = None
    duration: float | None = None
    speed: float | None = None
    remaining: float | None = None

    @property
    def fraction(self) -> float | None:
        """Share of the call that is done, in [0, 1]. None: not known."""
        if self.done >= self.total:
            return 1.0
        if self.seconds is None or not self.duration:
            return self.done / self.total if self.total > 1 else None
        return (self.done + min(self.seconds / self.duration, 1.0)) / self.total

    @property
    def state(self) -> str:
        """All but the name: ``43%, 8.2x real time, 0:38 left``."""
        parts = []
        if self.total > 1:
            parts.append(f"{min(self.done + 1, self.total)} of {self.total}")
        if self.fraction is not None:
            parts.append(f"{100 * self.fraction:.0f}%")
        elif self.seconds:
            parts.append(f"{_clock(self.seconds)} of video")
        if self.speed is not None:
            parts.append(f"{self.speed:.1f}x real time")
        if self.remaining is not None and self.done < self.total:
            parts.append(f"{_clock(self.remaining)} left")
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.name}: {self.state}" if self.state else self.name


ProgressHook = Callable[[Progress], None]
"""Called ten times a second at most, and at the beginning and the end of each video."""
ProgressOption = bool | ProgressHook | None
"""True: a bar in the terminal or the notebook, where there is one. None and False: nothing."""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
