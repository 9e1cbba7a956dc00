"""Configuration of a model: one frozen dataclass per room, JSON in and out.

``config.json`` of a checkpoint is :meth:`ModelConfig.to_dict`. Unknown keys and unknown format
versions are refused by name, so that a file from a newer release is never half understood.
:func:`read_dataclass` reads training recipes as well.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import CheckpointError, EmoCLIPError

__all__ = [
    "FORMAT_VERSION",
    "ActionSpaceConfig",
    "CalibrationConfig",
    "FaceConfig",
    "ImageConfig",
    "ModelConfig",
    "PromptConfig",
    "SamplingConfig",
    "ShapeConfig",
    "TemporalConfig",
    "TowersConfig",
    "Window",
    "bounded",
    "read_dataclass",
]

T = TypeVar("T")

# How a clip of the model's span is laid over a video, see `emoclip_sdk.video.clip_window`.
Window = Literal["wrap", "inside"]

FORMAT_VERSION = 1
MAX_LABELS = 10_000
MAX_LABEL_LENGTH = 2000
MAX_BYTES = 16 * 2**20  # of config.json

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


def bounded(default: T, low: float, high: float = math.inf) -> T:
    """Declare a field whose numbers :func:`read_dataclass` accepts from `low` to `high` only.

    The upper ends in this module are far beyond every model: they keep a file from asking for all
    the memory there is.
    """
    return field(default=default, metadata={"bounds": (low, high)})


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
    text_head_hidden: int | None = bounded(None, 1, 65_536)

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
    layers: int = bounded(2, 0, 200)
    heads: int = bounded(8, 1, 1024)
    dim_head: int = bounded(2048, 1, 16_384)
    mlp_dim: int = bounded(512, 1, 262_144)
    max_positions: int = bounded(1024, 1, 65_536)


@dataclass(frozen=True)
class ShapeConfig:
    """The shape stream: what landmarks and blendshapes add to a frame embedding.

    Parameters
    ----------
    hidden : int
        Width of its hidden layer.
    """

    hidden: int = bounded(256, 1, 65_536)


@dataclass(frozen=True)
class ActionSpaceConfig:
    """The part of the joint space in which texts about facial actions meet faces.

    It needs a shape stream, whose landmarks and blendshapes it reads, a text tower of CLIP's kind,
    whose tokens it reads, and a temporal transformer, whose frames it pools as well.

    Parameters
    ----------
    width : int
        A: it adds 2 A to the joint space. A multiple of `heads`.
    hidden : int
        Width of the hidden layers of its perceptrons.
    heads, frame_layers, text_layers : int
        Of the transformers over frames and over tokens.
    """

    width: int = bounded(128, 1, 16_384)
    hidden: int = bounded(512, 1, 65_536)
    heads: int = bounded(4, 1, 1024)
    frame_layers: int = bounded(1, 0, 200)
    text_layers: int = bounded(2, 0, 200)

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise CheckpointError(
                f"actions: the width, {self.width}, has to be a multiple of the {self.heads} heads"
            )


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
    window : {"wrap", "inside"}, optional
        How training filled a clip that is shorter than `n_frames`
        (:func:`~emoclip_sdk.video.clip_window`); the temporal transformer is then given short clips
        filled in the same way. None: they stay short. ``config.json`` then has no such key.
    """

    n_frames: int = bounded(32, 1, 4096)
    rate: float = bounded(7.0, 1e-2, 240)
    stride: int = bounded(4, 1, 10_000)
    window: Window | None = None

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
    margin: float = bounded(0.15, -0.45, 2)
    detect_size: int = bounded(320, 32, 2048)
    detect_every: int = bounded(8, 1, 1000)
    min_confidence: float = bounded(0.9, 0, 1)


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

    size: int = bounded(224, 1, 1024)
    mean: tuple[float, float, float] = bounded(OPENAI_MEAN, -10, 10)
    std: tuple[float, float, float] = bounded(OPENAI_STD, 1e-3, 100)
    color: Literal["rgb", "gray"] = "rgb"
    crop_size: int | None = bounded(None, 8, 1024)


@dataclass(frozen=True)
class PromptConfig:
    """What the model scores when the caller names no labels, and how it reads those of the bank.

    Parameters
    ----------
    labels : tuple of str
        The model's own label set.
    name_share : float
        How much of the embedding of a label of the shipped prompt bank is its name, put into the
        bank's templates; its descriptions have the rest. 0: descriptions alone, as in the paper.
    """

    labels: tuple[str, ...] = ()
    name_share: float = bounded(0.0, 0, 1)

    def __post_init__(self) -> None:
        longest = max(map(len, self.labels), default=0)
        if len(self.labels) > MAX_LABELS or longest > MAX_LABEL_LENGTH:
            raise CheckpointError(
                f"prompts.labels: {len(self.labels)} labels, the longest of {longest} letters; "
                f"{MAX_LABELS} of {MAX_LABEL_LENGTH} are the most"
            )


@dataclass(frozen=True)
class CalibrationConfig:
    """What was fitted on validation data so that scores mean something.

    Parameters
    ----------
    temperature : float
        Divides the logits of eq. 1 (Guo et al. 2017, temperature scaling).
    min_score : float
        A result whose confidence is below abstains: none of the offered labels fits.
    margin : float
        Two labels can't be told apart where the natural logarithms of their scores differ by less.
        0: the best one always wins.
    """

    temperature: float = bounded(1.0, 1e-3, 1e3)
    min_score: float = bounded(0.0, 0, 1)
    margin: float = bounded(0.0, 0, 10)

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and 0 <= self.min_score <= 1):
            raise CheckpointError(
                f"calibration: the temperature must be positive and min_score in [0, 1], "
                f"not {self.temperature} and {self.min_score}"
            )


@dataclass(frozen=True)
class ModelConfig:
    """Everything that ``config.json`` holds.

    ``info`` is free text for people (name, recipe). Without ``shape``, as in the paper, frame
    embeddings are the image tower's alone; without ``actions``, all texts are read alike.
    ``config.json`` then has no such key.
    """

    towers: TowersConfig
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    faces: FaceConfig = field(default_factory=FaceConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    prompts: PromptConfig = field(default_factory=PromptConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    shape: ShapeConfig | None = None
    actions: ActionSpaceConfig | None = None
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mean = self.temporal.kind == "mean"
        if self.actions is not None and (self.shape is None or not self.towers.text or mean):
            raise CheckpointError(
                "actions: needs a shape stream ('shape'), a text tower and a temporal transformer"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, ``format_version`` first."""
        parts = dataclasses.asdict(self)
        for name in ("shape", "actions"):
            if parts[name] is None:
                del parts[name]
        if self.sampling.window is None:
            del parts["sampling"]["window"]
        return {"format_version": FORMAT_VERSION, **parts}

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
        return read_dataclass(cls, data, where, CheckpointError)

    @classmethod
    def from_json_file(cls, path: str | Path) -> ModelConfig:
        """Read ``config.json``."""
        path = Path(path)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise CheckpointError(
                    f"{path}: is larger than any configuration, {MAX_BYTES} bytes"
                )
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(f"{path}: no such file; a checkpoint folder holds one") from None
        except (OSError, ValueError, RecursionError) as error:  # nested without end
            raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
        if not isinstance(data, dict):
            raise CheckpointError(f"{path}: expected a JSON object")
        return cls.from_dict(data, where=str(path))


def read_dataclass(
    kind: type[T], data: Any, where: str, error: type[EmoCLIPError] = EmoCLIPError
) -> T:
    """Read a mapping of JSON or YAML types as a dataclass; fields may be dataclasses again.

    Parameters
    ----------
    kind : type
        The dataclass.
    data : dict
        Its content.
    where : str
        The file or the recipe, for messages.
    error : type
        What is raised.

    Raises
    ------
    EmoCLIPError
        An unknown or missing key, or a value of a wrong kind or beyond its bounds; the message
        names it.
    """
    return _Reader(where, error).mapping(kind, data, "")


@dataclass(frozen=True)
class _Reader:
    where: str
    error: type[EmoCLIPError]

    def mapping(self, kind: type[T], data: Any, path: str) -> T:
        place = f"{self.where}: {path}" if path else self.where
        if not isinstance(data, dict):
            raise self.error(f"{place}: expected a mapping, got {type(data).__name__}")
        fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        unknown = sorted(set(map(str, data)) - set(fields))
        if unknown:
            raise self.error(f"{place}: unknown keys {unknown}; known are {sorted(fields)}")
        for name, known in fields.items():
            required = known.default is known.default_factory is dataclasses.MISSING
            if required and name not in data:
                raise self.error(f"{place}: the key '{name}' is missing")
        hints = get_type_hints(kind)
        values = {
            key: self._value(
                hints[key],
                value,
                fields[key].metadata.get("bounds", (-math.inf, math.inf)),
                f"{path}.{key}".lstrip("."),
            )
            for key, value in data.items()
        }
        try:
            return kind(**values)
        except (TypeError, ValueError) as problem:
            raise self.error(f"{place}: {problem}") from problem

    def _value(self, hint: Any, value: Any, bounds: tuple[float, float], path: str) -> Any:
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any:
            return value
        if origin in (Union, UnionType):
            if value is None and type(None) in arguments:
                return None
            (hint,) = [a for a in arguments if a is not type(None)]
            return self._value(hint, value, bounds, path)
        if origin is Literal:
            if value in arguments:
                return value
            self._refuse(value, f"one of {', '.join(map(str, arguments))}", path)
        if dataclasses.is_dataclass(hint):
            return self.mapping(hint, value, path)  # type: ignore[arg-type]
        if origin is tuple:
            return self._tuple(arguments, value, bounds, path)
        expected = origin or hint
        fits = isinstance(value, (int, float) if expected is float else expected)
        if not fits or (isinstance(value, bool) and expected is not bool):
            self._refuse(value, expected.__name__, path)
        if expected in (int, float):
            low, high = bounds
            if not low <= value <= high or (isinstance(value, float) and not math.isfinite(value)):
                self._refuse(value, f"a number {_range(low, high)}", path)
        return value

    def _tuple(
        self, items: tuple[Any, ...], value: Any, bounds: tuple[float, float], path: str
    ) -> tuple[Any, ...]:
        length = None if items[-1] is Ellipsis else len(items)
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            size = "any number of" if length is None else str(length)
            kind = getattr(get_origin(items[0]) or items[0], "__name__", "values")
            self._refuse(value, f"a list of {size} {kind}", path)
        return tuple(self._value(items[0], item, bounds, path) for item in value)

    def _refuse(self, value: Any, expected: str, path: str) -> NoReturn:
        raise self.error(f"{self.where}: {path} is {_short(value)} and should be {expected}")


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return "of any finite size" if math.isinf(low) else f"from {low:g} up"
    return f"from {low:g} to {high:g}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
