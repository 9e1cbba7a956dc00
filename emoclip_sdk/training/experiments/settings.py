"""A recipe as dataclasses: unknown keys and wrong values are refused before anything is read."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ...errors import EmoCLIPError
from ..frames import Augmentation
from ..precision import PrecisionChoice

__all__ = [
    "DataSettings",
    "ExperimentSettings",
    "LocoSettings",
    "ModelSettings",
    "ObjectiveSettings",
    "OptimSettings",
    "ProbeSettings",
    "Rates",
    "RunSettings",
    "differences",
    "read_settings",
]

T = TypeVar("T")


@dataclass(frozen=True)
class ModelSettings:
    """Where the network starts.

    Attributes
    ----------
    start : str, optional
        A named baseline, a checkpoint folder, a Hub repository, or ``"embedded"``. None: random
        towers as in `towers`.
    towers : dict, optional
        :class:`~emoclip_sdk.config.TowersConfig`, for random towers.
    temporal : dict, optional
        :class:`~emoclip_sdk.config.TemporalConfig`. None: as `start` has it.
    token_std : float
        Standard deviation of class token and positions of a new temporal module. 1 in the
        reference; embeddings of small random towers would drown in that.
    sampling, image : dict, optional
        Keys of `SamplingConfig` and `ImageConfig` that differ from `start`.
    bag_of_words : bool
        Random towers only: the text tower starts as the mean of its tokens' embeddings
        (:func:`~..bag_of_words.start_as_bag_of_words`), so that captions which share words are
        alike from the first step.
    prompts : str, optional
        A prompt file whose descriptions go before those of the prompt bank; saved with the model.
    """

    start: str | None = None
    towers: dict[str, Any] | None = None
    temporal: dict[str, Any] | None = None
    token_std: float = 1.0
    sampling: dict[str, Any] | None = None
    image: dict[str, Any] | None = None
    bag_of_words: bool = False
    prompts: str | None = None


@dataclass(frozen=True)
class DataSettings:
    """What is drawn from the dataset.

    Attributes
    ----------
    valid_share : float
        Of the training clips, held out for model selection where the dataset has no such split.
    views : int
        Cached views of each clip; used with a frozen image tower.
    cache : str, optional
        Folder of the frame cache. None: ``cache`` in the run folder.
    cache_dtype : {"float16", "float32"}
    augmentation : Augmentation
    workers : int
        Processes that decode.
    window : {"wrap", "inside"}
        A training clip starts anywhere and goes on from the beginning where the video ends, as in
        the reference, or lies inside the video, its frames in order.
    """

    valid_share: float = 0.1
    views: int = 8
    cache: str | None = None
    cache_dtype: Literal["float16", "float32"] = "float16"
    augmentation: Augmentation = field(default_factory=Augmentation)
    workers: int = 4
    window: Literal["wrap", "inside"] = "wrap"


@dataclass(frozen=True)
class ObjectiveSettings:
    """What is pulled together.

    Attributes
    ----------
    texts : {"captions", "descriptions"}
        Sample-level captions, or a description of the clip's class drawn from the prompt bank.
    positives : {"own", "text", "class"}
        A clip's positives in the batch: its own text (the paper on captions), every text of the
        same wording, or every text of a clip of its class.
    negatives : {"gathered", "local"}
        Over all processes, or, as in the reference, those of each process alone.
    """

    texts: Literal["captions", "descriptions"] = "captions"
    positives: Literal["own", "text", "class"] = "own"
    negatives: Literal["gathered", "local"] = "gathered"


@dataclass(frozen=True)
class Rates:
    """Learning rate of each part; None: frozen.

    `text_blocks` are the text tower's transformer blocks, `text_rest` its embeddings, last norm
    and projection.
    """

    temporal: float | None = None
    logit_scale: float | None = None
    visual: float | None = None
    text_blocks: float | None = None
    text_rest: float | None = None
    text_head: float | None = None
    probe: float | None = None


@dataclass(frozen=True)
class OptimSettings:
    """Optimiser, schedule and precision.

    Attributes
    ----------
    batch_size : int
        Clips of a step on each process.
    accumulate : int
        A step's clips are computed in so many pieces. The loss still sees the whole batch: its
        gradient is the same as in one piece (layers with batch statistics excepted).
    schedule : {"multistep", "cosine"}
        "multistep": times `gamma` at the epochs `milestones`. "cosine": to 0 in the last step,
        after `warmup` steps.
    precision : {"auto", "fp32", "bf16", "fp16"}
        "auto": see :func:`~emoclip_sdk.training.precision.pick_precision`. fp16 scales the loss,
        and skips a step whose gradients overflow.
    """

    kind: Literal["sgd", "adamw"] = "sgd"
    epochs: int = 30
    batch_size: int = 64
    accumulate: int = 1
    lr: Rates = field(default_factory=Rates)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["multistep", "cosine"] = "multistep"
    milestones: tuple[int, ...] = (15, 35)
    gamma: float = 0.1
    warmup: int = 0
    clip_grad: float | None = None
    precision: PrecisionChoice = "fp32"
    grad_checkpointing: bool = False


@dataclass(frozen=True)
class ProbeSettings:
    """The perceptron on the frozen video encoder: width → `hidden` → classes."""

    hidden: int = 256


@dataclass(frozen=True)
class LocoSettings:
    """Which classes are left out, one after the other; None: each."""

    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RunSettings:
    """What does not change the result: steps between saves, and between lines of the log."""

    save_every: int = 200
    log_every: int = 20


@dataclass(frozen=True)
class ExperimentSettings:
    """A whole recipe."""

    name: str
    experiment: Literal["contrastive", "supervised", "loco", "probe"]
    model: ModelSettings
    optim: OptimSettings
    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    loco: LocoSettings = field(default_factory=LocoSettings)
    run: RunSettings = field(default_factory=RunSettings)
    training: dict[str, Any] = field(default_factory=dict)


def read_settings(recipe: dict[str, Any]) -> ExperimentSettings:
    """Check a recipe and return it as dataclasses.

    Raises
    ------
    EmoCLIPError
        An unknown or missing key, or a value of a wrong kind; the message names it.
    """
    settings = _read(ExperimentSettings, recipe, "recipe")
    data, optim = settings.data, settings.optim
    wrong = [
        text
        for text, bad in (
            ("data.valid_share must be between 0 and 1", not 0 < data.valid_share < 1),
            ("data.views must be at least 1", data.views < 1),
            ("data.augmentation.crop must be in (0, 1]", not 0 < data.augmentation.crop <= 1),
            ("optim.batch_size must be at least 2", optim.batch_size < 2),
            ("optim.accumulate must be from 1 to batch_size",
             not 1 <= optim.accumulate <= optim.batch_size),
            ("optim.epochs must be at least 1", optim.epochs < 1),
            ("optim.lr: no part has a learning rate",
             all(rate is None for rate in dataclasses.astuple(optim.lr))),
            ("run.save_every and run.log_every must be at least 1",
             min(settings.run.save_every, settings.run.log_every) < 1),
        )
        if bad
    ]  # fmt: skip
    if wrong:
        raise EmoCLIPError(f"recipe: {'; '.join(wrong)}")
    return settings


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Name the keys in which two recipes differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = list(dict.fromkeys([*old, *new]))
        return [
            text
            for key in keys
            for text in differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{where} (was {old!r}, now {new!r})"]


def _read(kind: type[T], data: Any, where: str) -> T:
    if not isinstance(data, dict):
        raise EmoCLIPError(f"{where}: expected a mapping, got {data!r}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise EmoCLIPError(f"{where}: unknown keys {unknown}; known are {sorted(hints)}")
    values = {key: _value(hints[key], data[key], f"{where}: {key}") for key in data}
    try:
        return kind(**values)
    except TypeError as error:
        raise EmoCLIPError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (hint,) = [a for a in arguments if a is not type(None)]
        return _value(hint, value, where)
    if origin is Literal:
        if value in arguments:
            return value
        raise EmoCLIPError(f"{where}: must be one of {', '.join(arguments)}, not {value!r}")
    if dataclasses.is_dataclass(hint):
        return _read(typing.cast(type, hint), {} if value is None else value, where)
    if hint is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 5e-4 as text
        except ValueError:
            pass
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_value(arguments[0], item, where) for item in value)
    plain = dict if origin is dict else hint
    if not isinstance(value, plain) or (isinstance(value, bool) and plain is not bool):
        raise EmoCLIPError(f"{where}: expected {getattr(plain, '__name__', plain)}, got {value!r}")
    return value
