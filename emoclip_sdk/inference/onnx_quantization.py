"""An ONNX image tower in int8, calibrated on faces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import FaceShape
from ..runtime.metering import numbered, open_progress
from ..runtime.progress import ProgressOption
from .options import FaceMode, ReadOptions
from .reader import FaceReader

if TYPE_CHECKING:
    from ..video import VideoInput
    from .pretrained import PretrainedModel

__all__ = ["calibration_crops", "quantize"]

_MAX_CALIBRATION_FACES = 512  # all their activations are held at once
# What comes before the first convolution (resize, color, mean) stays in float32.
_INT8_OPERATORS = ["Conv", "Gemm", "MatMul", "Add", "Clip"]


def calibration_crops(
    model: PretrainedModel,
    videos: Sequence[VideoInput],
    faces: FaceMode | None,
    progress: ProgressOption = None,
) -> NDArray[np.uint8]:
    """Return face crops (N, S, S, 3) of the videos, spread evenly where there are too many."""
    kept: list[NDArray[np.uint8]] = []

    def keep(crops: NDArray[np.uint8], shapes: Sequence[FaceShape | None]) -> NDArray[np.float32]:
        kept.append(crops)
        return np.zeros((len(crops), 0), np.float32)

    reader = FaceReader(model.config, keep, model.detector)
    begun = time.monotonic()
    with open_progress(progress) as hook:
        for number, video in enumerate(videos):
            own = None if hook is None else numbered(hook, number, len(videos), begun)
            for _ in reader(video, ReadOptions(faces, progress=own)):
                pass
    n = sum(map(len, kept))
    if n < 2:
        raise EmoCLIPError(f"int8 is calibrated on at least 2 faces; the videos show {n}")
    crops = np.concatenate(kept)
    return crops[np.linspace(0, n - 1, min(n, 2 * _MAX_CALIBRATION_FACES)).astype(int)]


def quantize(path: Path, crops: NDArray[np.uint8]) -> None:
    """Quantize a file in place: weights per channel, ranges of activations from `crops`."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Crops(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches: Iterator[NDArray[np.uint8]] = iter(
                np.array_split(crops, -(-len(crops) // 32))
            )

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"crops": batch}

    ready = path.with_name("ready.onnx")
    # Symbolic inference takes long and adds nothing: only the number of crops is free.
    quant_pre_process(path, ready, skip_symbolic_shape=True)
    quantize_static(
        ready,
        path,
        Crops(),
        op_types_to_quantize=_INT8_OPERATORS,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
