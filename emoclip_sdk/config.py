"""Configuration of a model: one frozen dataclass per room, JSON in and out.

``config.json`` of a checkpoint is :meth:`ModelConfig.to_dict`. Unknown keys and unknown format
versions are refused by name, so that a file from a newer release is never half understood.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

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
    """Image and text tower, built by open_clip.

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
        Detect on every n-th sampled frame; in those between, faces are only followed.
    min_confidence : float
        Detections below are dropped.
    """

    detector: Literal["mtcnn", "none"] = "mtcnn"
    margin: float = 0.15
    detect_size: int = 320
    detect_every: int = 4
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
        if version != FORMAT_VERSION:
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
        return cls(**parts, info=data.get("info") or {})

    @classmethod
    def from_json_file(cls, path: str | Path) -> ModelConfig:
        """Read ``config.json``."""
        path = Path(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(f"{path}: no such file; a checkpoint folder holds one") from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
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
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{where}: {error}") from error
