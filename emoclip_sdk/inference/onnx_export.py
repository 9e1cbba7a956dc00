"""A model as ONNX files, which onnxruntime runs without torch and without this package.

Every file is checked against torch before it gets its name: nothing that disagrees is written.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config import ImageConfig
from ..errors import EmoCLIPError, MissingDependencyError
from ..nn import DualEncoder, preprocess
from ..nn.face_landmarks import LANDMARKS
from ..nn.shape import SHAPE_FEATURES, ShapeStream, shape_features
from ..nn.temporal import TemporalTransformer
from ..runtime.metering import in_steps
from ..runtime.progress import ProgressOption
from .onnx_quantization import calibration_crops, quantize

if TYPE_CHECKING:
    from ..video import VideoInput
    from .options import FaceMode
    from .pretrained import PretrainedModel

__all__ = ["MIN_COSINE", "MIN_COSINE_INT8", "OPSET", "export_onnx"]

OPSET = 18
MIN_COSINE = 0.9999
"""Every random input must agree with torch that well, in float32."""
MIN_COSINE_INT8 = 0.99
"""Every face that was kept for the check must agree with float32 that well, in int8."""

_FILES = ("image.onnx", "shape.onnx", "temporal.onnx", "emoclip.json")


class _ImageTower(nn.Module):
    """The image tower with its preprocessing in front."""

    def __init__(self, visual: nn.Module, network: DualEncoder, config: ImageConfig) -> None:
        super().__init__()
        self.visual = visual
        self.network = network
        self.config = config

    def forward(self, crops: Tensor) -> Tensor:
        return self.network.join(self.visual(preprocess(crops, self.config)))


class _Shape(nn.Module):
    """What a shape adds to a frame, with the arithmetic in front that takes place and tilt away."""

    def __init__(self, network: DualEncoder, stream: ShapeStream) -> None:
        super().__init__()
        self.stream = stream
        self.actions = network.actions

    def forward(self, landmarks: Tensor, blendshapes: Tensor) -> Tensor:
        features = shape_features(landmarks, blendshapes)
        added = self.stream(features)
        if self.actions is None:
            return added
        shown = self.actions.frames(self.stream.standardized(features)) - self.actions.unseen
        return torch.cat([added, shown, torch.zeros_like(shown)], dim=-1)


class _Pooling(nn.Module):
    """From frames to clips, actions included."""

    def __init__(self, network: DualEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        return self.network.pool(frames, mask)


def export_onnx(
    model: PretrainedModel,
    folder: str | Path,
    *,
    calibration: Sequence[VideoInput] = (),
    faces: FaceMode | None = None,
    opset: int = OPSET,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Write ``image.onnx``, ``temporal.onnx`` and ``emoclip.json``, checked against torch.

    ``image.onnx`` embeds `crops` (N, S, S, 3) uint8 RGB to `frames` (N, D), unnormalized; resize
    and normalization are inside. ``temporal.onnx`` pools `frames` (B, T, D) float32 with `mask`
    (B, T) bool, True where there is a frame, to `clips` (B, D), unnormalized. It is not written
    for a model that takes the mean of the frames. For a model with a shape stream, ``shape.onnx``
    maps `landmarks` (N, 478, 3) and `blendshapes` (N, 52) to what is to be added to `frames`.

    Parameters
    ----------
    model : PretrainedModel
        On the processor, in float32.
    folder : str or Path
        Made if it isn't there; older files of the same names are replaced.
    calibration : sequence
        Videos with faces like those that the model will see. With them the image tower is
        quantized to int8: every other face sets the ranges, and the rest are the check. The
        temporal module stays in float32. Empty: everything in float32.
    faces : {"detect", "none"}, optional
        "none": the frames of `calibration` are face crops already. None: as the config says.
    opset : int
        Version of the ONNX operators, 18 or later.
    progress : bool or callable, optional
        Told which video of `calibration` is read, and which file is written.

    Returns
    -------
    dict
        What ``emoclip.json`` holds. ``cosine``: for each file the worst cosine to torch.

    Raises
    ------
    MissingDependencyError
        An ONNX package is not installed.
    VideoError
        A video of `calibration` can't be read.
    EmoCLIPError
        A model in another precision or on another device, too few faces to calibrate, a network
        that can't be exported or that disagrees with torch, or a folder that can't be written.
    """
    _need_packages()
    encoder, config, out = model.encoder, model.config, Path(folder)
    if encoder.dtype != torch.float32 or encoder.device.type != "cpu":
        raise EmoCLIPError(
            f"{model.name}: load the model with device='cpu', dtype='float32' to export it, "
            f"not {encoder.device} and {encoder.dtype}"
        )
    if out.exists() and not out.is_dir():
        raise EmoCLIPError(f"{out}: is a file; ONNX files are written to a folder")
    size = config.image.crop_size or config.image.size
    known = calibration_crops(model, calibration, faces, progress) if calibration else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=out) as temporary:
            staged = Path(temporary)
            network = encoder.network
            shape, temporal = network.shape, network.temporal
            parts: dict[str, Callable[[], float]] = {
                "image.onnx": lambda: _write_image(model, size, known, staged, opset)
            }
            if shape is not None:
                parts["shape.onnx"] = lambda: _write_shape(network, shape, staged, opset)
            if isinstance(temporal, TemporalTransformer):
                parts["temporal.onnx"] = lambda: _write_temporal(model, temporal, staged, opset)
            cosine = dict(zip(parts, in_steps(list(parts.items()), progress), strict=True))
            facts = _facts(model, size, known is not None, opset, cosine)
            text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
            (staged / "emoclip.json").write_text(text + "\n", encoding="utf-8")
            for name in _FILES:
                if (staged / name).exists():
                    os.replace(staged / name, out / name)
                else:
                    (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise EmoCLIPError(f"{out}: can't be written ({error.strerror or error})") from error
    return facts


def _need_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(error.name or "onnx", "onnx", "Exporting to ONNX") from None


def _facts(
    model: PretrainedModel, size: int, int8: bool, opset: int, cosine: dict[str, float]
) -> dict[str, Any]:
    """Return ``emoclip.json``: what is needed to use the files, and what they were made of."""
    config = model.config
    facts: dict[str, Any] = {
        "model": model.name,
        "revision": model.revision,
        "image": {"file": "image.onnx", "dtype": "int8" if int8 else "float32", "crop_size": size},
        "pooling": config.temporal.kind,
        "embedding": model.encoder.width,
        "n_frames": config.sampling.n_frames,
        "rate": config.sampling.rate,
        "face_margin": config.faces.margin,
        "opset": opset,
        "cosine": cosine,
    }
    if config.sampling.window is not None:
        facts["window"] = config.sampling.window
    if model.encoder.network.shape is not None:
        facts["shape"] = {"file": "shape.onnx", "dtype": "float32"}
    if isinstance(model.encoder.network.temporal, TemporalTransformer):
        limit = model.encoder.network.temporal.max_frames
        facts["temporal"] = {"file": "temporal.onnx", "dtype": "float32", "max_frames": limit}
    if config.towers.text and model.labels:
        vectors, _ = model.embed_labels()
        facts["labels"] = dict(zip(model.labels, vectors.tolist(), strict=True))
        facts["logit_scale"] = model.encoder.logit_scale / config.calibration.temperature
        facts["min_score"] = config.calibration.min_score
    return facts


def _write_image(
    model: PretrainedModel, size: int, known: NDArray[np.uint8] | None, folder: Path, opset: int
) -> float:
    """Write ``image.onnx``; return the worst cosine to torch."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (5, size, size, 3), dtype=np.uint8)
    encoder = model.encoder
    tower = _ImageTower(encoder.visual, encoder.network, model.config.image).eval()
    path = folder / "image.onnx"
    _export(tower, {"crops": noise[:2]}, {"crops": {0: "n"}}, "frames", path, opset)
    worst = _compare(path, [{"crops": noise}, {"crops": noise[:1]}], tower, MIN_COSINE)
    if known is None:
        return worst
    quantize(path, known[::2])
    return _compare(path, [{"crops": known[1::2]}], tower, MIN_COSINE_INT8)


def _write_shape(network: DualEncoder, stream: ShapeStream, folder: Path, opset: int) -> float:
    """Write ``shape.onnx``; return the worst cosine to torch."""
    rng = np.random.default_rng(0)

    def faces(n: int) -> dict[str, NDArray[Any]]:
        # Faces near the mean one, somewhere in a frame.
        numbers = stream.mean.numpy() + stream.deviation.numpy() * rng.standard_normal(
            (n, SHAPE_FEATURES), dtype=np.float32
        )
        landmarks, blendshapes = np.split(numbers, [3 * LANDMARKS], axis=1)
        return {
            "landmarks": 50 * landmarks.reshape(n, LANDMARKS, 3) + 100,
            "blendshapes": blendshapes.clip(0, 1),
        }

    path = folder / "shape.onnx"
    axes = {"landmarks": {0: "n"}, "blendshapes": {0: "n"}}
    module = _Shape(network, stream).eval()
    _export(module, faces(2), axes, "added", path, opset)
    return _compare(path, [faces(5), faces(1)], module, MIN_COSINE)


def _write_temporal(
    model: PretrainedModel, temporal: TemporalTransformer, folder: Path, opset: int
) -> float:
    """Write ``temporal.onnx``; return the worst cosine to torch."""
    longest = min(model.config.sampling.n_frames, temporal.max_frames)
    rng = np.random.default_rng(0)

    def clips(b: int, t: int) -> dict[str, NDArray[Any]]:
        mask = rng.random((b, t)) < 0.7
        mask[:, 0] = True
        frames = rng.standard_normal((b, t, model.encoder.width), dtype=np.float32)
        return {"frames": frames, "mask": mask}

    path = folder / "temporal.onnx"
    axes = {"frames": {0: "b", 1: "t"}, "mask": {0: "b", 1: "t"}}
    sizes = {"t": temporal.max_frames}
    module = _Pooling(model.encoder.network).eval()
    _export(module, clips(2, longest), axes, "clips", path, opset, sizes)
    return _compare(path, [clips(3, longest), clips(1, 1)], module, MIN_COSINE)


def _export(
    module: nn.Module,
    example: dict[str, NDArray[Any]],
    axes: dict[str, dict[int, str]],
    output: str,
    path: Path,
    opset: int,
    limits: dict[str, int] | None = None,
) -> None:
    """Write one module; `axes` names the sizes that stay free, `limits` the largest of them."""
    limits = limits or {}
    names = {name for free in axes.values() for name in free.values()}
    sizes = {name: torch.export.Dim(name, max=limits.get(name)) for name in sorted(names)}
    try:
        torch.onnx.export(
            module,
            tuple(map(torch.from_numpy, example.values())),
            path,
            input_names=list(example),
            output_names=[output],
            opset_version=opset,
            dynamic_shapes=tuple(
                {axis: sizes[name] for axis, name in axes[key].items()} for key in example
            ),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise EmoCLIPError(f"{path.name}: torch can't export this network ({reason})") from error


def _compare(
    path: Path, inputs: Sequence[dict[str, NDArray[Any]]], module: nn.Module, least: float
) -> float:
    """Return the worst cosine between onnxruntime and torch; refuse one below `least`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    worst = 1.0
    for arrays in inputs:
        (output,) = session.run(None, arrays)
        with torch.inference_mode():
            expected = module(*map(torch.from_numpy, arrays.values()))
        cosines = torch.cosine_similarity(torch.from_numpy(output), expected)
        # NaN must not pass.
        worst = min(worst, float(torch.nan_to_num(cosines, nan=-1.0).min()))
    if worst < least:
        advice = (
            " Calibrate with more, and more varied, faces, or export in float32"
            if least == MIN_COSINE_INT8
            else ""
        )
        raise EmoCLIPError(
            f"{path.name}: not written, its cosine to torch is {worst:.4f} and has to be {least}."
            + advice
        )
    return worst
