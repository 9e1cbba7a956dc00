"""Settings of the training loop: optimizer, schedule, precision, and what a run saves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from .precision import PrecisionChoice

__all__ = ["LoopSettings", "OptimSettings", "Rates", "RunSettings"]


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
        "auto": see :func:`~emoclip_sdk.training.engine.precision.pick_precision`. fp16 scales the
        loss, and skips a step whose gradients overflow.
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
class RunSettings:
    """What does not change the result: steps between saves, and between lines of the log."""

    save_every: int = 200
    log_every: int = 20


class LoopSettings(Protocol):
    """What the training loop reads of an experiment's settings."""

    @property
    def seed(self) -> int: ...

    @property
    def optim(self) -> OptimSettings: ...

    @property
    def run(self) -> RunSettings: ...
