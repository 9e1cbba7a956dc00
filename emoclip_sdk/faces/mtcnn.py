"""The default face detector: MTCNN, with the weights in facenet-pytorch's wheel.

Torch is imported when a detector is made, and not with this module.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..errors import EmoCLIPError
from .boxes import Box
from .detector import Detection

__all__ = ["MTCNNDetector"]


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
            from .mtcnn_cascade import Cascade

            self._cascade = Cascade(device)
        except ImportError as error:
            raise EmoCLIPError(
                f"Finding faces needs the package 'facenet-pytorch' ({error}). Install it with: "
                "pip install --force-reinstall --no-deps facenet-pytorch==2.5.3, or set "
                "faces='none' for videos that are face crops already."
            ) from error

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of each (H, W, 3) uint8 frame, the largest first.

        They are found from about a sixteenth of the frame's long side on; :meth:`detect_small`
        finds smaller ones.
        """
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

    def detect_small(
        self, frames: Sequence[NDArray[np.uint8]], min_face: float
    ) -> list[list[Detection]]:
        """Return the faces from `min_face` pixels on; see :class:`SmallFaceDetector`."""
        detections = []
        for frame in frames:  # one by one: levels of a fine pyramid take much memory
            (rows,) = self._cascade.detect([frame], self.detect_size, min_face)
            detections.append([_detection(row) for row in rows.tolist()])
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
