"""The recipe `mini` as dataclasses: unknown keys and wrong values are refused at the start."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from ...config import ModelConfig, bounded, read_dataclass
from ...errors import EmoCLIPError
from ..engine.settings import LocoSettings, OptimSettings, RunSettings
from .imagenet import EFFICIENTNETS

__all__ = [
    "ActionSettings",
    "CalibrationSettings",
    "CaptionSettings",
    "HeadSettings",
    "ImageSettings",
    "MiniSettings",
    "ShapeSettings",
    "TemporalSettings",
    "TextSettings",
    "read_mini_settings",
]

# The parts of the network that learn in each stage.
_LEARNERS = {
    "text": ("text_blocks", "text_rest"),
    "images": ("visual", "text_head", "logit_scale"),
    "shape": ("shape", "text_head", "logit_scale"),
    "temporal": ("temporal", "text_head"),
    "actions": ("actions",),
}


@dataclass(frozen=True)
class CaptionSettings:
    """Captions that are generated from votes, and from measured facial actions.

    Attributes
    ----------
    words : float
        Share of captions that name the emotion.
    pool : int
        Captions generated for each emotion.
    prior : float
        An emotion's captions are drawn in proportion to (votes for it) ** prior.
    actions : int
        Captions of facial actions that the landmark network measures on each picture. 0: none, and
        nothing is measured.
    states : float
        Share of captions about a state of the prompt bank.
    """

    words: float = bounded(0.35, 0, 1)
    pool: int = bounded(2000, 1)
    prior: float = 0.5
    actions: int = bounded(0, 0)
    states: float = bounded(0.0, 0, 1)


@dataclass(frozen=True)
class HeadSettings:
    """Rendered heads that show exactly known actions, see :mod:`~emoclip_sdk.training.heads`.

    Attributes
    ----------
    path : str, optional
        ``ict_facekit.npz``. None: no heads; nobody poses or talks, and nothing is learned of
        sides.
    people : int
        Heads to render for the space of actions, and as many for poses; half as many talk.
    portraits : int
        Pictures of the dataset, of people whose faces are at rest, that the head model moves for
        the space of actions.
    posed : float
        Of the pictures that stages 3 and 4 draw, the share of heads that pose an emotion.
    talking : float
        Of the clips that stage 4 draws, the share of heads that talk.
    """

    path: str | None = None
    people: int = bounded(120, 1)
    portraits: int = bounded(0, 0)
    posed: float = bounded(0.08, 0, 0.9)
    talking: float = bounded(0.1, 0, 0.9)


@dataclass(frozen=True)
class TextSettings:
    """Stage 1: a sentence encoder is distilled into the text tower.

    Attributes
    ----------
    teacher : str
        The sentence encoder: a folder, or its name on the Hugging Face Hub.
    wordnet : str
        Folder of WordNet's data files.
    longest : int
        Characters; longer glosses are left out.
    captions, templated : int
        Generated captions, and words of WordNet in templates.
    definitions : float
        Weight of WordNet's definitions of a word beside the text.
    epochs : int
    pretrained : str, optional
        A model's ``.safetensors`` whose text tower is taken as it is: nothing is distilled.
    optim : OptimSettings
    """

    optim: OptimSettings
    teacher: str = "sentence-transformers/all-mpnet-base-v2"
    wordnet: str = "/usr/share/wordnet"
    longest: int = bounded(60, 1)
    captions: int = bounded(40_000, 0)
    templated: int = bounded(12_000, 0)
    definitions: float = bounded(0.0, 0)
    epochs: int = bounded(1, 1)
    pretrained: str | None = None


@dataclass(frozen=True)
class ImageSettings:
    """Stage 2: image tower, text head and logit scale, on pictures with captions.

    Without a learning rate for ``visual``, the tower of `pretrained` stays as it is: it embeds
    ``temporal.views`` random views of each picture once, from which the others learn.

    Attributes
    ----------
    texts : {"teacher", "student"}
        Whose embeddings of the captions: the sentence encoder's, or those of the tower of stage 1.
    pretrained : str, optional
        ImageNet weights by their name, or a model's ``.safetensors`` to go on from. None: random.
    sizes : tuple of (int, int)
        Side in pixels and number of epochs, in turn. Empty: image tower, text head and scale of
        `pretrained`, a model's ``.safetensors``, as they are.
    text_noise : float
        Norm of the Gaussian noise on the unit text embeddings.
    captions : int
        For each picture and step.
    balance : float
        A picture is drawn in proportion to (size of its class) ** -balance.
    compile : bool
        torch.compile.
    actions : float
        Weight of the loss over captions of facial actions, see :func:`~.training_set.caption_loss`.
    optim : OptimSettings
    """

    optim: OptimSettings
    sizes: tuple[tuple[int, int], ...]
    texts: Literal["teacher", "student"] = "teacher"
    pretrained: str | None = None
    text_noise: float = bounded(1.0, 0)
    captions: int = bounded(16, 1)
    balance: float = 0.0
    compile: bool = False
    actions: float = bounded(0.0, 0)

    @property
    def sides(self) -> list[int]:
        """Side of the pictures in each epoch."""
        return [side for side, epochs in self.sizes for _ in range(epochs)]


@dataclass(frozen=True)
class ShapeSettings:
    """Stage 3, of a model with a shape stream: stream, text head and scale, beside frozen towers.

    Attributes
    ----------
    steps : int
    captions : int
        For each picture and step.
    balance, text_noise : float
        As in :class:`ImageSettings`.
    frame_noise, shape_noise : float
        In standard deviations of the frame embeddings and of the shape's numbers.
    without_shape, without_pixels : float
        Share of the pictures that are seen by their pixels, or by their shape, alone.
    actions : float
        Weight of the loss over captions of facial actions, see :func:`~.training_set.caption_loss`.
    optim : OptimSettings
    """

    optim: OptimSettings
    steps: int = bounded(1200, 1)
    captions: int = bounded(4, 1)
    balance: float = 0.0
    text_noise: float = bounded(1.0, 0)
    frame_noise: float = bounded(0.5, 0)
    shape_noise: float = bounded(0.1, 0)
    without_shape: float = bounded(0.2, 0, 1)
    without_pixels: float = bounded(0.4, 0, 1)
    actions: float = bounded(0.0, 0)


@dataclass(frozen=True)
class TemporalSettings:
    """Stage 4: temporal module and text head, on sequences of frame embeddings.

    Attributes
    ----------
    views : int
        Random views of each picture that sequences are made of.
    longest : int
        Frames.
    steps : int
    balance : float
        As in :class:`ImageSettings`.
    neutral : float
        Share of sequences in which a neutral face turns to the expression.
    apex : int
        Frames for which an expression has to last to count in full.
    frame_noise : float
        In standard deviations of the frame embeddings.
    text_noise : float
        As in :class:`ImageSettings`.
    keep : float
        Weight of the cosine to the expressive frames' mean.
    actions : float
        Weight of the loss over captions of facial actions, see :func:`~.training_set.caption_loss`.
    optim : OptimSettings
    """

    optim: OptimSettings
    views: int = bounded(2, 1)
    longest: int = bounded(16, 1)
    steps: int = bounded(400, 1)
    balance: float = 0.0
    neutral: float = bounded(0.5, 0, 1)
    apex: int = bounded(7, 1)
    frame_noise: float = bounded(0.3, 0)
    text_noise: float = bounded(1.0, 0)
    keep: float = bounded(1.0, 0)
    actions: float = bounded(0.0, 0)


@dataclass(frozen=True)
class ActionSettings:
    """The last stage, of a model with a space of actions, beside all that is finished.

    Attributes
    ----------
    pretrained : str, optional
        A model's ``.safetensors`` from which all but the space of actions is taken as it is: no
        other stage is run.
    captions : int
        Of what a face does, and as many of two actions in order.
    steps : int
    level : float
        Mean cosine of a text about actions with the photographs, which is that of words for
        emotions in their part of the joint space.
    text_noise : float
        As in :class:`ImageSettings`.
    shape_noise : float
        In standard deviations of the shape's numbers.
    without_shape : float
        Share of the clips that are seen without one.
    heads, sides, order : float
        Weights of the losses over heads, over sides of the face and over clips in which something
        changes, beside that over pictures.
    optim : OptimSettings
    """

    optim: OptimSettings
    pretrained: str | None = None
    captions: int = bounded(12_000, 1)
    steps: int = bounded(3000, 1)
    level: float = bounded(0.1, 0, 1)
    text_noise: float = bounded(1.0, 0)
    shape_noise: float = bounded(0.1, 0)
    without_shape: float = bounded(0.05, 0, 1)
    heads: float = bounded(0.5, 0)
    sides: float = bounded(0.5, 0)
    order: float = bounded(1.0, 0)


@dataclass(frozen=True)
class CalibrationSettings:
    """How scores are made to mean something, see :func:`fit_calibration`.

    Attributes
    ----------
    keep : float
        Of validation clips whose label is offered, the share that is not refused.
    tell : float
        Two labels are told apart from where on the better one is right in this share of the cases.
    caution : float
        The temperature is so many times the one that fits the validation split best. On
        web photographs a model is right less often than its scores would say.
    """

    keep: float = bounded(0.9, 0, 1)
    tell: float = bounded(0.6, 0.5, 0.99)
    caution: float = bounded(1.15, 1)


@dataclass(frozen=True)
class MiniSettings:
    """The whole recipe."""

    name: str
    experiment: Literal["mini"]
    model: ModelConfig
    text: TextSettings
    images: ImageSettings
    shape: ShapeSettings
    temporal: TemporalSettings
    actions: ActionSettings
    seed: int = bounded(0, 0)
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    heads: HeadSettings = field(default_factory=HeadSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    loco: LocoSettings = field(default_factory=LocoSettings)
    run: RunSettings = field(default_factory=RunSettings)
    training: dict[str, Any] = field(default_factory=dict)


def read_mini_settings(recipe: dict[str, Any]) -> MiniSettings:
    """Check a recipe and return it as dataclasses.

    Raises
    ------
    EmoCLIPError
        An unknown or missing key, a value of a wrong kind, a part that does not learn in its stage;
        the message names it.
    """
    settings = read_dataclass(MiniSettings, recipe, "recipe")
    for name, optim in (
        ("text", settings.text.optim),
        ("images", settings.images.optim),
        ("shape", settings.shape.optim),
        ("temporal", settings.temporal.optim),
        ("actions", settings.actions.optim),
    ):
        rates = dataclasses.asdict(optim.lr)
        learning = [part for part, rate in rates.items() if rate is not None]
        other = sorted(set(learning) - set(_LEARNERS[name]))
        if other or not learning:
            raise EmoCLIPError(
                f"recipe: {name}.optim.lr: what learns in this stage is "
                f"{', '.join(_LEARNERS[name])}, and not {', '.join(other) or 'nothing'}"
            )
    sizes, pretrained = settings.images.sizes, settings.images.pretrained
    if any(min(pair) < 1 for pair in sizes):
        raise EmoCLIPError("recipe: images.sizes needs a side and a number of epochs, [[64, 3]]")
    if not sizes and (pretrained is None or pretrained in EFFICIENTNETS):
        raise EmoCLIPError(
            "recipe: images.sizes is empty, so no image tower is trained: images.pretrained must "
            "name a model's .safetensors"
        )
    return settings
