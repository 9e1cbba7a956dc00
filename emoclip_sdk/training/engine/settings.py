"""Settings of the training loop: optimizer, schedule, precision, and what a run saves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...config import bounded
from .precision import PrecisionChoice

__all__ = ["LocoSettings", "OptimSettings", "Rates", "RunSettings"]


@dataclass(frozen=True)
class Rates:
    """Learning rate of each part; None: frozen.

    `text_blocks` are the text tower's transformer blocks, `text_rest` its embeddings, last norm
    and projection.
    """

    temporal: float | None = bounded(None, 0)
    logit_scale: float | None = bounded(None, 0)
    visual: float | None = bounded(None, 0)
    text_blocks: float | None = bounded(None, 0)
    text_rest: float | None = bounded(None, 0)
    text_head: float | None = bounded(None, 0)
    shape: float | None = bounded(None, 0)
    actions: float | None = bounded(None, 0)
    probe: float | None = bounded(None, 0)


@dataclass(frozen=True)
class OptimSettings:
    """Optimizer, schedule and precision.

    Attributes
    ----------
    batch_size : int
        Samples of a step on each process.
    lr : Rates
    schedule : {"multistep", "cosine"}
        "multistep": times `gamma` at the epochs `milestones`. "cosine": to 0 in the last step,
        after `warmup` steps.
    clip_grad : float, optional
        Gradients of a greater norm are scaled down to it.
    average : float, optional
        Decay of a moving average of the weights; where there is one, it is what is validated and
        kept (:class:`~emoclip_sdk.training.engine.average.WeightAverage`).
    keep : {"best", "last"}
        Weights of the epoch with the best validation, or of the last one.
    precision : {"auto", "fp32", "bf16", "fp16"}
        "auto": see :func:`~emoclip_sdk.training.engine.precision.pick_precision`. fp16 scales the
        loss, and skips a step whose gradients overflow.
    """

    kind: Literal["sgd", "adamw"] = "sgd"
    batch_size: int = bounded(64, 2)
    lr: Rates = field(default_factory=Rates)
    momentum: float = 0.9
    weight_decay: float = bounded(5e-4, 0)
    schedule: Literal["multistep", "cosine"] = "multistep"
    milestones: tuple[int, ...] = (15, 35)
    gamma: float = 0.1
    warmup: int = bounded(0, 0)
    clip_grad: float | None = bounded(None, 0)
    average: float | None = bounded(None, 0, 1)
    keep: Literal["best", "last"] = "best"
    precision: PrecisionChoice = "fp32"


@dataclass(frozen=True)
class RunSettings:
    """What does not change the result: steps between saves, and between lines of the log."""

    save_every: int = bounded(200, 1)
    log_every: int = bounded(20, 1)


@dataclass(frozen=True)
class LocoSettings:
    """Which classes are left out, one after the other; None: each."""

    classes: tuple[str, ...] | None = None
