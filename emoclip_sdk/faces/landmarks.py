"""Faces in frames to landmarks, blendshapes and a presence score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..assets import asset
from ..errors import CheckpointError
from ..nn.blendshapes import BLENDSHAPE_POINTS, BLENDSHAPES, BlendshapeNetwork
from ..nn.face_landmarks import CROP_SIZE, LANDMARKS, LandmarkNetwork
from ..runtime.heap import keep_freed_memory
from ..runtime.threads import side_by_side
from ..runtime.torch_state import isolated_build, isolated_inference
from .regions import FaceRegion

__all__ = ["FaceLandmarker", "FaceShapes", "crop_region", "load_face_networks"]

_Network = TypeVar("_Network", bound=nn.Module)
# Crops per pass: so many bound the memory, and fewer are not worth a thread.
_BATCH, _SMALL_BATCH = 16, 4


class FaceShapes(NamedTuple):
    """Shapes of N faces.

    Attributes
    ----------
    landmarks : ndarray, (N, 478, 3), float32
        x, y in pixels of the frame, pixel i covering [i, i + 1); z on the same scale, smaller
        towards the camera.
    presence : ndarray, (N,), float32
        Probability that there is a face in the region at all, in [0, 1].
    blendshapes : ndarray, (N, 52), float32
        In [0, 1], in the order of :data:`emoclip_sdk.nn.blendshapes.BLENDSHAPES`.
    """

    landmarks: NDArray[np.float32]
    presence: NDArray[np.float32]
    blendshapes: NDArray[np.float32]


class FaceLandmarker:
    """MediaPipe's Face Landmarker without its detector, in torch.

    Parameters
    ----------
    weights : Path, optional
        A safetensors file as `tools/convert_face_landmarker.py` writes it; the one that is shipped
        unless told otherwise.
    device : str
        Where torch runs it.

    Raises
    ------
    CheckpointError
        The file can't be read, or its tensors are not those of the two networks.
    """

    @isolated_build()
    def __init__(self, weights: Path | None = None, *, device: str | torch.device = "cpu") -> None:
        keep_freed_memory()
        self.device = torch.device(device)
        self._landmarks, self._blendshapes = load_face_networks(weights, device=self.device)
        self._points = torch.tensor(BLENDSHAPE_POINTS, device=self.device)

    def __call__(
        self, frames: Sequence[NDArray[np.uint8]], regions: Sequence[FaceRegion]
    ) -> FaceShapes:
        """Find the shape of the face in each region.

        Parameters
        ----------
        frames : sequence of ndarray, shape (H, W, 3), uint8
            RGB, one for each region, of any sizes.
        regions : sequence of FaceRegion

        Returns
        -------
        FaceShapes
            A region without a face has a shape, too: its presence is low.
        """
        if len(frames) != len(regions):
            raise ValueError(f"{len(frames)} frames for {len(regions)} regions")
        if not regions:
            empty = (np.zeros((0, LANDMARKS, 3)), np.zeros(0), np.zeros((0, len(BLENDSHAPES))))
            return FaceShapes(*(array.astype(np.float32) for array in empty))
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        rounds = math.ceil(len(regions) / (threads * _BATCH))
        size = max(math.ceil(len(regions) / (threads * rounds)), _SMALL_BATCH)
        starts = range(0, len(regions), size)

        def shapes(i: int) -> tuple[NDArray[np.floating], ...]:
            return self._shapes(frames[i : i + size], regions[i : i + size])

        parts = side_by_side(shapes, starts) if threads > 1 else list(map(shapes, starts))
        arrays = [np.concatenate(values).astype(np.float32) for values in zip(*parts, strict=True)]
        return FaceShapes(*arrays)

    def _shapes(
        self, frames: Sequence[NDArray[np.uint8]], regions: Sequence[FaceRegion]
    ) -> tuple[NDArray[np.floating], ...]:
        with isolated_inference():
            crops = torch.empty(
                (len(regions), 3, CROP_SIZE, CROP_SIZE),
                dtype=torch.float32,
                memory_format=torch.channels_last,
            )
            for crop, frame, region in zip(crops, frames, regions, strict=True):
                crop.copy_(crop_region(frame, region)[0])
            points, presence = self._landmarks(crops.to(self.device))
            to_frame = torch.from_numpy(np.stack([r.to_frame(CROP_SIZE) for r in regions])).float()
            sides = torch.tensor([region.side for region in regions], dtype=torch.float32)
            points = _placed(points, to_frame.to(self.device), sides.to(self.device) / CROP_SIZE)
            blendshapes = self._blendshapes(points[:, self._points, :2])
            return tuple(values.cpu().numpy() for values in (points, presence, blendshapes))


@isolated_build()
def load_face_networks(
    weights: Path | None = None, *, device: str | torch.device = "cpu"
) -> tuple[LandmarkNetwork, BlendshapeNetwork]:
    """Return both networks, ready for inference; parameters and errors as in `FaceLandmarker`."""
    path = weights or asset("face-landmarker") / "model.safetensors"
    tensors = _read(path)
    landmarks = _loaded(LandmarkNetwork(), tensors, "landmarks.", path)
    blendshapes = _loaded(BlendshapeNetwork(), tensors, "blendshapes.", path)
    return landmarks.to(device), blendshapes.to(device)


def crop_region(rgb: NDArray[np.uint8], region: FaceRegion, size: int = CROP_SIZE) -> Tensor:
    """Cut a region out of a frame, by bilinear interpolation.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
    region : FaceRegion
    size : int
        Side of the result in pixels.

    Returns
    -------
    Tensor, (1, 3, size, size), float32, in [0, 1]
        Beyond the frame's border, the outermost pixels are repeated. Of a face more than twice as
        large as the result, whole pixels are averaged first, so that none is skipped (MediaPipe
        skips them).
    """
    to_frame = region.to_frame(size)
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]]) @ to_frame.T
    (x0, x1), (y0, y1) = (
        _span(corners[:, axis], length) for axis, length in enumerate((rgb.shape[1], rgb.shape[0]))
    )
    pixels = rgb[y0:y1, x0:x1]
    shrink = int(region.side // size)
    if shrink > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(shrink))
    else:
        shrink = 1
    picture = torch.from_numpy(np.array(pixels)).permute(2, 0, 1).float()
    high, wide = pixels.shape[0] * shrink, pixels.shape[1] * shrink
    (a, b, x), (c, d, y) = to_frame
    half = size / 2
    x, y = x + half * (a + b) - x0, y + half * (c + d) - y0
    # `grid_sample` counts both pictures from -1 to 1. Pairs of coordinates are added as complex
    # numbers, in one pass. (`affine_grid` takes several.)
    places = (torch.arange(size, dtype=torch.float32) * 2 + 1) / size - 1
    columns = torch.complex(
        places * (a * size / wide) + (2 * x / wide - 1),
        places * (c * size / high) + (2 * y / high - 1),
    )
    rows = torch.complex(places * (b * size / wide), places * (d * size / high))
    grid = torch.view_as_real(columns + rows[:, None])[None]
    crop = F.grid_sample(picture[None], grid, padding_mode="border", align_corners=False)
    return crop.div_(255)


def _span(values: NDArray[np.floating], length: int) -> tuple[int, int]:
    """First and last pixel that a crop needs along one axis, at least one of them in the frame."""
    first = min(max(math.floor(values.min()) - 2, 0), length - 1)
    return first, max(min(math.ceil(values.max()) + 2, length), first + 1)


def _placed(points: Tensor, to_frame: Tensor, scales: Tensor) -> Tensor:
    """Carry points (N, 478, 3) from crops to frames."""
    flat = points[..., :2] @ to_frame[:, :, :2].mT + to_frame[:, None, :, 2]
    return torch.cat([flat, points[..., 2:] * scales[:, None, None]], dim=2)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: broken or cut short ({error}). Copy or download it again."
        ) from error


def _loaded(network: _Network, tensors: dict[str, Tensor], prefix: str, path: Path) -> _Network:
    values = {k.removeprefix(prefix): v.float() for k, v in tensors.items() if k.startswith(prefix)}
    try:
        network.load_state_dict(values)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{path}: not the weights of a face landmarker ({reason}). Make them with "
            "tools/convert_face_landmarker.py."
        ) from error
    return network.eval().requires_grad_(False)
