"""A recipe as dataclasses: unknown keys and wrong values are refused before anything is read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from ...config import ShapeConfig, Window, bounded, read_dataclass
from ...errors import EmoCLIPError
from ..data.frames import Augmentation
from ..engine.settings import LocoSettings, OptimSettings, RunSettings

__all__ = [
    "NOT_TOGETHER",
    "ClassifierSettings",
    "DataSettings",
    "ExperimentOptimSettings",
    "ExperimentSettings",
    "ModelSettings",
    "ObjectiveSettings",
    "SelectionSettings",
    "read_settings",
]

NOT_TOGETHER = (
    "a model with a shape stream is trained with an image tower that stays as it is "
    "(optim.lr.visual=null). To have both, fine-tune a model without the stream, and start from "
    "it: --recipe mafw-frozen --set model.start=FOLDER"
)


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
    shape : ShapeConfig, optional
        A new shape stream beside an image tower that stays as it is; not in the paper. None: as
        `start` has it.
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
    shape: ShapeConfig | None = None
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
        the reference, or lies inside the video, its frames in order. It is written into the
        checkpoint (``sampling.window``): short clips are filled alike in validation and in use.
    """

    valid_share: float = 0.1
    views: int = bounded(8, 1)
    cache: str | None = None
    cache_dtype: Literal["float16", "float32"] = "float16"
    augmentation: Augmentation = field(default_factory=Augmentation)
    workers: int = bounded(4, 0)
    window: Window = "wrap"


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
    one_text : bool
        One description of each class, the first, in training and validation. Otherwise all of the
        bank's: one of them drawn for a clip, their mean compared with it.
    """

    texts: Literal["captions", "descriptions"] = "captions"
    positives: Literal["own", "text", "class"] = "own"
    negatives: Literal["gathered", "local"] = "gathered"
    one_text: bool = False


@dataclass(frozen=True)
class SelectionSettings:
    """By what the epoch is chosen whose weights are kept.

    Attributes
    ----------
    split : {"valid", "test"}
        The validation split, or one cut from training. "test", as the reference does it: then all
        of training is trained on, and figures on the test split are too good. `loco`: the test
        clips of the class that is left out.
    figure : {"uar", "war"}
    """

    split: Literal["valid", "test"] = "valid"
    figure: Literal["uar", "war"] = "uar"


@dataclass(frozen=True)
class ClassifierSettings:
    """The perceptron on the frozen video encoder: width → `hidden` → classes."""

    hidden: int = bounded(256, 1)


@dataclass(frozen=True)
class ExperimentOptimSettings(OptimSettings):
    """The engine's settings, and how the towers of an experiment are trained.

    Attributes
    ----------
    epochs : int
    accumulate : int
        A step's clips are computed in so many pieces. The loss still sees the whole batch: its
        gradient is the same as in one piece (layers with batch statistics excepted).
    grad_checkpointing : bool
        Compute activations of the towers again in the backward pass instead of keeping them.
    """

    epochs: int = bounded(30, 1)
    accumulate: int = bounded(1, 1)
    grad_checkpointing: bool = False


@dataclass(frozen=True)
class ExperimentSettings:
    """A whole recipe."""

    name: str
    experiment: Literal["contrastive", "supervised", "loco", "probe"]
    model: ModelSettings
    optim: ExperimentOptimSettings
    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    probe: ClassifierSettings = field(default_factory=ClassifierSettings)
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
    settings = read_dataclass(ExperimentSettings, recipe, "recipe")
    data, optim, shape = settings.data, settings.optim, settings.model.shape
    wrong = [
        text
        for text, bad in (
            ("data.valid_share must be between 0 and 1", not 0 < data.valid_share < 1),
            ("data.augmentation.crop must be in (0, 1]", not 0 < data.augmentation.crop <= 1),
            ("optim.accumulate can't be more than batch_size", optim.accumulate > optim.batch_size),
            ("optim.lr: no part has a learning rate",
             all(rate is None for rate in dataclasses.astuple(optim.lr))),
            (f"model.shape: {NOT_TOGETHER}", shape is not None and optim.lr.visual is not None),
            ("model.shape: a new shape stream has to learn: give optim.lr.shape",
             shape is not None and optim.lr.shape is None),
            ("model.shape: a probe's encoder is trained before it, by another experiment",
             shape is not None and settings.experiment == "probe"),
            ("loco.classes is for the experiment 'loco'",
             settings.loco.classes is not None and settings.experiment != "loco"),
        )
        if bad
    ]  # fmt: skip
    if wrong:
        raise EmoCLIPError(f"recipe: {'; '.join(wrong)}")
    return settings
