"""How many windows a video may have: some bytes can claim centuries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..errors import VideoError

__all__ = ["WindowBudget"]

T = TypeVar("T")

ANY_VIDEO = 20_000  # windows: more than five hours, one a second; a row of each may be kept
PER_FRAME = 1000  # and for each sampled frame, of which there are seven a second


class WindowBudget:
    """Counts the frames of a video and the windows that are laid over them.

    Parameters
    ----------
    name : str
        Of the video, for the message.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._n_frames = 0

    def frames(self, frames: Iterable[T]) -> Iterator[T]:
        """Hand frames on."""
        for frame in frames:
            self._n_frames += 1
            yield frame

    def windows(self, windows: Iterable[T]) -> Iterator[T]:
        """Hand windows on.

        Raises
        ------
        VideoError
            They are far more than the frames can fill.
        """
        for n, window in enumerate(windows, 1):
            if n > ANY_VIDEO + PER_FRAME * self._n_frames:
                raise VideoError(
                    self._name,
                    f"has {self._n_frames} pictures in a time of more than {n - 1} windows: its "
                    "time stamps are damaged, or the step is too short",
                )
            yield window
