"""Configuration of a model: one frozen dataclass per room, JSON in and out.

``config.json`` of a checkpoint is :meth:`ModelConfig.to_dict`. Unknown keys and unknown format
versions are refused by name, so that a file from a newer release is never half understood.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .errors import CheckpointError

__all__ = [
    "FORMAT_VERSION",
    "CalibrationConfig",
    "FaceConfig",
    "ImageConfig",
    "ModelConfig",
    "PromptConfig",
    "SamplingConfig",
    "TemporalConfig",
    "TowersConfig",
]

FORMAT_VERSION = 1

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TowersConfig:
    """Image and text tower, as open_clip configures them.

    Parameters
    ----------
    name : str, optional
        An architecture of open_clip, e.g. ``"ViT-B-32"``. Mutually exclusive with `model`.
    model : dict, optional
        An open_clip model configuration (``embed_dim``, ``vision_cfg``, ``text_cfg``).
    quick_gelu : bool
        The activation of OpenAI's own weights, x * sigmoid(1.702 x), instead of the exact GELU.
    text : bool
        False for a checkpoint that has no text tower: it embeds video but can't classify.
    text_head_hidden : int, optional
        Width of a two-layer GELU perceptron with a skip connection on the text tower's output.
        None (CLIP and EmoCLIP): the text tower's projection is the last layer.
    """

    name: str | None = None
    model: dict[str, Any] | None = None
    quick_gelu: bool = False
    text: bool = True
    text_head_hidden: int | None = None

    def __post_init__(self) -> None:
        if (self.name is None) == (self.model is None):
            raise CheckpointError(
                "towers: give either 'name' (an open_clip architecture) or 'model' "
                "(an open_clip model configuration), not both and not neither"
            )


@dataclass(frozen=True)
class TemporalConfig:
    """Pooling of frame embeddings to a clip embedding.

    The defaults are the sizes of the reference implementation, 68.7 M parameters at width 512.

    Parameters
    ----------
    kind : {"transformer", "mean"}
        The paper's temporal transformer, or its "frame ensemble" baseline: the mean of the
        frame embeddings, without parameters.
    layers, heads, dim_head, mlp_dim, max_positions : int
        Shapes of the transformer. `max_positions` counts the class token.
    """

    kind: Literal["transformer", "mean"] = "transformer"
    layers: int = 2
    heads: int = 8
    dim_head: int = 2048
    mlp_dim: int = 512
    max_positions: int = 1024


@dataclass(frozen=True)
class SamplingConfig:
    """Which frames of a video the model sees.

    Parameters
    ----------
    n_frames : int
        Frames per clip (window), 32 in the paper.
    rate : float
        Sampled frames per second. The paper takes every 4th frame of 25-30 fps video.
    stride : int
        The paper's stride, used by the ``paper`` sampling mode only.
    """

    n_frames: int = 32
    rate: float = 7.0
    stride: int = 4

    @property
    def span(self) -> float:
        """Length of a full clip in seconds."""
        return self.n_frames / self.rate


@dataclass(frozen=True)
class FaceConfig:
    """How faces are found and cropped.

    Parameters
    ----------
    detector : {"mtcnn", "none"}
        "none": frames are face crops already and are only resized.
    margin : float
        Added to the square face box on each side, as a fraction of its side. Negative: tighter.
    detect_size : int
        Long side in pixels of the picture that the detector sees.
    detect_every : int
        Detect on every n-th sampled frame, and after 1.2 seconds at the latest; in the frames
        between, faces are only followed.
    min_confidence : float
        Detections below are dropped.
    """

    detector: Literal["mtcnn", "none"] = "mtcnn"
    margin: float = 0.15
    detect_size: int = 320
    detect_every: int = 8
    min_confidence: float = 0.9


@dataclass(frozen=True)
class ImageConfig:
    """How a face crop becomes the image tower's input.

    Parameters
    ----------
    size : int
        Side of the square input in pixels.
    mean, std : tuple of float
        Per RGB channel, in units of [0, 1].
    color : {"rgb", "gray"}
        "gray": the crop is reduced to luma, repeated on three channels.
    crop_size : int, optional
        Side in pixels at which faces are cut out before they are enlarged to `size`. A model
        trained on small pictures sees video at the same level of detail. None: `size`.
    """

    size: int = 224
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD
    color: Literal["rgb", "gray"] = "rgb"
    crop_size: int | None = None


@dataclass(frozen=True)
class PromptConfig:
    """What the model scores when the caller names no labels.

    Parameters
    ----------
    labels : tuple of str
        The model's own label set.
    """

    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CalibrationConfig:
    """What was fitted on validation data so that scores mean something.

    Parameters
    ----------
    temperature : float
        Divides the logits of eq. 1 (Guo et al. 2017, temperature scaling).
    min_score : float
        A result whose confidence is below abstains: none of the offered labels fits.
    """

    temperature: float = 1.0
    min_score: float = 0.0

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and 0 <= self.min_score <= 1):
            raise CheckpointError(
                f"calibration: the temperature must be positive and min_score in [0, 1], "
                f"found {self.temperature} and {self.min_score}"
            )


@dataclass(frozen=True)
class ModelConfig:
    """Everything that ``config.json`` holds. ``info`` is free text for people (name, recipe)."""

    towers: TowersConfig
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    faces: FaceConfig = field(default_factory=FaceConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    prompts: PromptConfig = field(default_factory=PromptConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    info: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, ``format_version`` first."""
        return {"format_version": FORMAT_VERSION, **dataclasses.asdict(self)}

    def to_json(self) -> str:
        """Return the text of ``config.json``."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, where: str = "config.json") -> ModelConfig:
        """Build from JSON types.

        Raises
        ------
        CheckpointError
            Unknown format version, unknown or missing key, value of a wrong kind.
        """
        data = dict(data)
        version = data.pop("format_version", None)
        if version != FORMAT_VERSION or isinstance(version, bool):
            raise CheckpointError(
                f"{where}: format_version is {version!r}, this release reads {FORMAT_VERSION}. "
                "Install a newer emoclip_sdk, or write the checkpoint again with this one."
            )
        rooms: dict[str, type] = {
            "towers": TowersConfig,
            "temporal": TemporalConfig,
            "sampling": SamplingConfig,
            "faces": FaceConfig,
            "image": ImageConfig,
            "prompts": PromptConfig,
            "calibration": CalibrationConfig,
        }
        unknown = sorted(set(data) - set(rooms) - {"info"})
        if unknown:
            raise CheckpointError(f"{where}: unknown keys {unknown}")
        if "towers" not in data:
            raise CheckpointError(f"{where}: the key 'towers' is missing")
        parts = {
            key: _room(rooms[key], data[key], f"{where}: {key}") for key in rooms if key in data
        }
        info = data.get("info") or {}
        if not isinstance(info, dict):
            raise CheckpointError(f"{where}: info: expected an object, got {type(info).__name__}")
        return cls(**parts, info=info)

    @classmethod
    def from_json_file(cls, path: str | Path) -> ModelConfig:
        """Read ``config.json``."""
        path = Path(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(f"{path}: no such file; a checkpoint folder holds one") from None
        except (OSError, ValueError, RecursionError) as error:  # nested without end
            raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
        if not isinstance(data, dict):
            raise CheckpointError(f"{path}: expected a JSON object")
        return cls.from_dict(data, where=str(path))


def _room(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise CheckpointError(f"{where}: expected an object, got {type(data).__name__}")
    known = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise CheckpointError(f"{where}: unknown keys {unknown}; known are {sorted(known)}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    hints = get_type_hints(kind)
    for key, value in values.items():
        _check(value, hints[key], _RANGES.get(key, (None, None)), f"{where}.{key}")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{where}: {error}") from error


# What a file may ask for. The upper ends are far beyond every model: they keep a file from asking
# for all the memory there is.
_RANGES: dict[str, tuple[float | None, float | None]] = {
    "layers": (0, 1000),
    "heads": (1, 10_000),
    "dim_head": (1, 100_000),
    "mlp_dim": (1, 1_000_000),
    "max_positions": (1, 1_000_000),
    "text_head_hidden": (1, 1_000_000),
    "n_frames": (1, 100_000),
    "rate": (1e-3, 1000),
    "stride": (1, 1_000_000),
    "margin": (-0.49, 10),
    "detect_size": (16, 16_384),
    "detect_every": (1, 10_000),
    "min_confidence": (0, 1),
    "size": (1, 4096),
    "crop_size": (1, 4096),
    "mean": (-1000, 1000),
    "std": (1e-6, 1000),
    "temperature": (1e-6, 1e6),
    "min_score": (0, 1),
}


def _check(value: Any, hint: Any, limits: tuple[float | None, float | None], where: str) -> None:
    """Refuse a value of the file that is of another type, or beyond what it may be."""
    kind, inner = get_origin(hint), get_args(hint)
    if type(None) in inner:
        if value is not None:
            _check(value, inner[0], limits, where)
    elif kind is Literal:
        if value not in inner:
            raise CheckpointError(f"{where} is {value!r} and should be one of {list(inner)}")
    elif kind is tuple:
        length = None if inner[-1] is Ellipsis else len(inner)
        if not isinstance(value, tuple) or length not in (None, len(value)):
            what = f"a list of {length or 'any number of'} {inner[0].__name__}"
            raise CheckpointError(f"{where} is {value!r} and should be {what}")
        for item in value:
            _check(item, inner[0], limits, where)
    else:
        wanted = kind or hint
        fits = isinstance(value, (int, float) if wanted is float else wanted)
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise CheckpointError(f"{where} is {value!r} and should be {wanted.__name__}")
        if wanted in (int, float):
            low, high = limits
            beyond = (low is not None and value < low) or (high is not None and value > high)
            if beyond or not math.isfinite(value):
                raise CheckpointError(
                    f"{where} is {value!r} and should be a number from "
                    f"{'any' if low is None else low} to {'any' if high is None else high}"
                )
