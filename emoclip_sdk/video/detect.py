"""Finding faces in single frames."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig
from ..errors import EmoCLIPError

__all__ = ["Box", "Detection", "FaceDetector", "MTCNNDetector"]

log = logging.getLogger(__name__)

Box = tuple[float, float, float, float]

# The smallest face that is looked for, as a share of the picture's long side, and in pixels of the
# reduced picture. MTCNN's first network sees faces at 12 px; below 16 it mostly finds texture.
MIN_FACE_SHARE = 1 / 16
MIN_FACE = 16


@dataclass(frozen=True)
class Detection:
    """A face in a frame.

    Parameters
    ----------
    box : tuple of float
        x0, y0, x1, y1 in pixels of the full frame; may reach beyond its border.
    confidence : float
        In [0, 1].
    """

    box: Box
    confidence: float


class FaceDetector(Protocol):
    """Anything that finds faces: a class with this one method is enough."""

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of each (H, W, 3) uint8 RGB frame, in any order."""
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
        facenet-pytorch is not installed or can't be imported.
    """

    def __init__(
        self, config: FaceConfig | None = None, *, device: str = "cpu", batch_size: int = 16
    ) -> None:
        self.detect_size = (config or FaceConfig()).detect_size
        self.batch_size = batch_size
        try:
            import torch
            from facenet_pytorch import MTCNN
        except ImportError as error:
            raise EmoCLIPError(
                f"Finding faces needs the package 'facenet-pytorch' ({error}). Install it with: "
                "pip install --no-deps facenet-pytorch==2.5.3, or set detector='none' for videos "
                "that are face crops already."
            ) from error
        smallest = max(MIN_FACE, round(self.detect_size * MIN_FACE_SHARE))
        self._smallest = smallest
        self._mtcnn = MTCNN(keep_all=True, min_face_size=smallest, device=torch.device(device))
        self._mtcnn.eval()

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the faces of each (H, W, 3) uint8 frame, the largest first."""
        found: list[list[Detection]] = [[] for _ in frames]
        # One pass takes pictures of one size only; a folder of frames may mix them.
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, frame in enumerate(frames):
            groups.setdefault(frame.shape, []).append(i)
        for members in groups.values():
            for at in range(0, len(members), self.batch_size):
                chunk = members[at : at + self.batch_size]
                for i, faces in zip(chunk, self._batch([frames[i] for i in chunk]), strict=True):
                    found[i] = faces
        return found

    def _batch(self, frames: list[NDArray[np.uint8]]) -> list[list[Detection]]:
        height, width = frames[0].shape[:2]
        pictures = np.stack([_reduced(frame, self.detect_size) for frame in frames])
        small_height, small_width = pictures.shape[1:3]
        if min(small_height, small_width) < self._smallest:
            return [[] for _ in frames]  # MTCNN fails on a picture smaller than a face
        scale = np.array([width / small_width, height / small_height] * 2)
        found = []
        for boxes, scores in self._run(pictures):
            faces = []
            for box, score in zip(boxes, scores, strict=True):
                x0, y0, x1, y1 = (float(v) for v in box * scale)
                faces.append(Detection((x0, y0, x1, y1), float(score)))
            found.append(faces)
        return found

    def _run(self, pictures: NDArray[np.uint8]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        import torch

        try:
            with torch.inference_mode():
                boxes, scores = self._mtcnn.detect(pictures)
        except torch.cuda.OutOfMemoryError:
            raise
        except (IndexError, RuntimeError) as error:
            # facenet-pytorch fails when one of its candidates lies wholly outside the picture.
            if len(pictures) > 1:
                return [self._run(picture[None])[0] for picture in pictures]
            log.warning("MTCNN failed on a frame, which counts as one without faces: %s", error)
            boxes, scores = [None], [None]
        found = []
        for box, score in zip(boxes, scores, strict=True):
            if box is None:
                found.append((np.empty((0, 4)), np.empty(0)))
            else:  # object arrays: of floats, or of rows
                found.append((np.array([*box], dtype=np.float64), np.array([*score], np.float64)))
        return found


def _reduced(rgb: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """Shrink a picture by area averaging so that its long side is at most `long_side` pixels."""
    from PIL import Image

    height, width = rgb.shape[:2]
    factor = long_side / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
