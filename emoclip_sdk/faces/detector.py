"""What a face detector is: anything that finds faces in single frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .boxes import Box

__all__ = ["Detection", "FaceDetector", "FaceFollower", "SmallFaceDetector"]


@dataclass(frozen=True)
class Detection:
    """A face in a frame.

    Parameters
    ----------
    box : tuple of float
        x0, y0, x1, y1 in pixels of the full frame; may reach beyond its border.
    confidence : float
        In [0, 1].
    seed : tuple of float, optional
        The box that the detector's last step has put right; :meth:`FaceFollower.follow` goes on
        from there.
    """

    box: Box
    confidence: float
    seed: Box | None = None

    def is_usable(self, min_confidence: float) -> bool:
        """Return whether it is confident enough, and its box one of pixels."""
        x0, y0, x1, y1 = self.box
        return (
            self.confidence >= min_confidence
            and all(map(math.isfinite, self.box))
            and x1 - x0 >= 1
            and y1 - y0 >= 1
        )


@runtime_checkable
class FaceDetector(Protocol):
    """Anything that finds faces: a class with this one method is enough.

    Given to a model as ``EmoCLIP.from_pretrained(detector=...)``. Faces are followed from frame to
    frame by what it finds; one that is not confirmed by a frame before or after is left out.

    Examples
    --------
    >>> class WholePicture:
    ...     def detect(self, frames):
    ...         return [[Detection((0, 0, f.shape[1], f.shape[0]), 1.0)] for f in frames]
    >>> isinstance(WholePicture(), FaceDetector)
    True
    """

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of each (H, W, 3) uint8 RGB frame, in any order."""
        ...


@runtime_checkable
class FaceFollower(FaceDetector, Protocol):
    """A detector that can also look for a face where one is expected, at a fraction of the cost.

    With it, frames between two in which faces were detected are looked at, too; without, boxes are
    interpolated.
    """

    def follow(self, frames: Sequence[NDArray[np.uint8]], seeds: Sequence[Box]) -> list[Detection]:
        """Return the face near each seed, the confidence low where there is none.

        Parameters
        ----------
        frames : sequence of ndarray, shape (H, W, 3), uint8
            One for each seed, all of one size.
        seeds : sequence of Box
            As in :class:`Detection`, or between two of them.
        """
        ...


@runtime_checkable
class SmallFaceDetector(FaceDetector, Protocol):
    """A detector that can look for smaller faces than it does otherwise, at a higher cost."""

    def detect_small(
        self, frames: Sequence[NDArray[np.uint8]], min_face: float
    ) -> list[list[Detection]]:
        """Return the faces of each frame, all that are `min_face` pixels high and more."""
        ...
