"""Telling those who wait how far a call is: measured on the videos, clips or steps that go by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol, TypeVar

from .progress import Progress, ProgressHook, ProgressOption
from .progress_bar import ProgressBar

__all__ = ["count_progress", "counted", "in_steps", "metered", "numbered", "open_progress"]

_EVERY = 0.1  # seconds between two calls of a hook, at least


def open_progress(progress: ProgressOption) -> AbstractContextManager[ProgressHook | None]:
    """Return what gives the hook that is meant: a bar is shown while the block runs."""
    if progress is True:
        return ProgressBar()
    return nullcontext(progress or None)


class _Timed(Protocol):
    @property
    def time(self) -> float: ...


T = TypeVar("T")
Timed = TypeVar("Timed", bound=_Timed)


def metered(
    items: Iterable[Timed],
    progress: ProgressOption,
    name: str,
    *,
    start: float = 0.0,
    duration: Callable[[], float | None] = lambda: None,
) -> Iterator[Timed]:
    """Hand on what is made of a video, frame by frame, and tell how far it is.

    Parameters
    ----------
    items : iterable
        With a `time` in seconds of the video.
    progress : bool or callable, optional
    name : str
        Of the video.
    start : float
        When the part that is read begins.
    duration : callable
        Gives the time at which it ends, as far as known.
    """
    with open_progress(progress) as hook:
        if hook is None:
            yield from items
            return
        begun = last = time.monotonic()

        def report(seconds: float, now: float, *, end: bool = False) -> None:
            until = duration()
            length = None if until is None else max(until - start, 0.0)
            speed = seconds / (now - begun) if seconds > 0 and now > begun else None
            left = None if not (length and speed) else max(length - seconds, 0.0) / speed
            hook(Progress(name, int(end), 1, seconds, length, speed, 0.0 if end else left))

        report(0.0, begun)
        seconds = 0.0
        for item in items:
            seconds = max(item.time - start, 0.0)
            now = time.monotonic()
            if now - last >= _EVERY:
                last = now
                report(seconds, now)
            yield item
        until = duration()
        report(seconds if until is None else until - start, time.monotonic(), end=True)


def count_progress(hook: ProgressHook, total: int, done: int = 0) -> Callable[[int, str], None]:
    """Return what tells `hook` how many of `total` are done, and the name of the latest.

    `done` of them were so before, and take no time.
    """
    begun = time.monotonic()

    def report(now_done: int, name: str) -> None:
        left = None
        if now_done > done:
            left = (time.monotonic() - begun) / (now_done - done) * (total - now_done)
        hook(Progress(name, now_done, total, remaining=left))

    return report


def counted(items: Iterable[T], progress: ProgressOption, total: int, name: str) -> Iterator[T]:
    """Hand on items, and tell how many of `total` are done."""
    with open_progress(progress) as hook:
        if hook is None:
            yield from items
            return
        report = count_progress(hook, total)
        report(0, name)
        last = time.monotonic()
        for done, item in enumerate(items, 1):
            yield item
            if time.monotonic() - last >= _EVERY or done == total:
                last = time.monotonic()
                report(done, name)


def in_steps(steps: Sequence[tuple[str, Callable[[], T]]], progress: ProgressOption) -> list[T]:
    """Take steps one after another, and tell which one it is; return what each returns."""
    results = []
    with open_progress(progress) as hook:
        for done, (name, step) in enumerate(steps):
            if hook is not None:
                hook(Progress(name, done, len(steps)))
            results.append(step())
    return results


def numbered(
    hook: ProgressHook, done: int, total: int, begun: float, name: str | None = None
) -> ProgressHook:
    """Return a hook for one of several videos, which tells `hook` how far all of them are.

    Parameters
    ----------
    hook : callable
    done, total : int
        Videos before this one, and all.
    begun : float
        When the first one was begun, of the monotonic clock.
    name : str, optional
        What the caller calls this one.
    """

    def report(progress: Progress) -> None:
        of_all = replace(
            progress, name=name or progress.name, done=done + progress.done, total=total
        )
        share = of_all.fraction
        if total > 1:
            elapsed = time.monotonic() - begun
            of_all = replace(of_all, remaining=elapsed * (1 - share) / share if share else None)
        hook(of_all)

    return report
