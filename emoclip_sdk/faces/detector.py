"""Finding faces in single frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..errors import EmoCLIPError

__all__ = ["Box", "Detection", "FaceDetector", "FaceFollower", "MTCNNDetector"]

Box = tuple[float, float, float, float]


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


class MTCNNDetector:
    """MTCNN (Zhang et al., 2016) from facenet-pytorch, whose wheel holds the weights.

    Parameters
    ----------
    config : FaceConfig, optional
        `detect_size` is used here; `min_confidence` is left to the caller.
    device : str
        Where torch runs it.
    batch_size : int
        Frames per pass; bounds the memory.

    Raises
    ------
    EmoCLIPError
        facenet-pytorch is not installed, or its weights can't be read.
    """

    def __init__(
        self, config: FaceConfig | None = None, *, device: str = "cpu", batch_size: int = 16
    ) -> None:
        self.detect_size = (config or FaceConfig()).detect_size
        self.batch_size = batch_size
        try:
            from .mtcnn import Cascade

            self._cascade = Cascade(device)
        except ImportError as error:
            raise EmoCLIPError(
                f"Finding faces needs the package 'facenet-pytorch' ({error}). Install it with: "
                "pip install --no-deps facenet-pytorch==2.5.3, or say faces='none' for videos "
                "that are face crops already."
            ) from error

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of each (H, W, 3) uint8 frame, the largest first."""
        detections: list[list[Detection]] = [[] for _ in frames]
        # One pass takes pictures of one size only; a folder of frames may mix them.
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, frame in enumerate(frames):
            groups.setdefault(frame.shape, []).append(i)
        for members in groups.values():
            for at in range(0, len(members), self.batch_size):
                chunk = members[at : at + self.batch_size]
                faces = self._cascade.detect([frames[i] for i in chunk], self.detect_size)
                for i, rows in zip(chunk, faces, strict=True):
                    detections[i] = [_detection(row) for row in rows.tolist()]
        return detections

    def follow(self, frames: Sequence[NDArray[np.uint8]], seeds: Sequence[Box]) -> list[Detection]:
        """Return what MTCNN's last network sees near each seed; see :class:`FaceFollower`."""
        detections: list[Detection] = []
        for at in range(0, len(seeds), self.batch_size):
            part = slice(at, at + self.batch_size)
            rows = self._cascade.follow(frames[part], np.array(seeds[part], dtype=np.float64))
            detections += [_detection(row) for row in rows.tolist()]
        return detections


def _detection(row: list[float]) -> Detection:
    x0, y0, x1, y1, confidence, *seed = row
    a, b, c, d = seed
    return Detection((x0, y0, x1, y1), confidence, (a, b, c, d))
