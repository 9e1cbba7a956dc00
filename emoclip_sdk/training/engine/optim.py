"""Which parameters learn, how fast, and on what schedule."""

from __future__ import annotations

import dataclasses
import math
from contextlib import AbstractContextManager

import torch
from torch import nn

from ...errors import EmoCLIPError
from .plan import Plan
from .precision import PrecisionChoice, autocast, pick_precision
from .settings import OptimSettings, Rates

__all__ = ["MAX_LOGIT_SCALE", "Amp", "build_optimizer", "build_schedule", "freeze", "part_of"]

MAX_LOGIT_SCALE = math.log(100)
"""CLIP's own bound."""


def part_of(name: str) -> str:
    """Return which key of :class:`Rates` a parameter of a `DualEncoder` or a probe belongs to.

    >>> part_of("towers.text.transformer.resblocks.0.ln_1.weight"), part_of("temporal.cls_token")
    ('text_blocks', 'temporal')
    """
    for prefix, part in (
        ("towers.visual.", "visual"),
        ("towers.text.transformer.", "text_blocks"),
        ("towers.text.", "text_rest"),
        ("towers.text_head.", "text_head"),
        ("shape.", "shape"),
        ("actions.", "actions"),
        ("temporal.", "temporal"),
        ("logit_scale", "logit_scale"),
        ("probe.", "probe"),
    ):
        if name.startswith(prefix):
            return part
    raise ValueError(f"{name}: belongs to no part")


def freeze(module: nn.Module, rates: Rates) -> None:
    """Let only those parts learn that have a learning rate."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(getattr(rates, part_of(name)) is not None)


def build_optimizer(module: nn.Module, settings: OptimSettings) -> torch.optim.Optimizer:
    """Build SGD or AdamW with one group per part; a group's ``name`` is the part's.

    AdamW does not decay vectors (biases, norms), the logit scale, class token and embeddings;
    SGD decays everything, as the reference does.

    Raises
    ------
    EmoCLIPError
        Nothing learns.
    """
    rates = dataclasses.asdict(settings.lr)
    embeddings = {
        f"{name}.weight" for name, m in module.named_modules() if isinstance(m, nn.Embedding)
    }
    groups: dict[tuple[str, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = settings.weight_decay
        positions = name.endswith(("positions", "positional_embedding", "pos_embed"))
        if settings.kind == "adamw" and (parameter.ndim < 2 or positions or name in embeddings):
            decay = 0.0
        groups.setdefault((part_of(name), decay), []).append(parameter)
    if not groups:
        raise EmoCLIPError("recipe: optim.lr: none of the parts with a learning rate is there")
    listed = [
        {"params": parameters, "lr": rates[part], "weight_decay": decay, "name": part}
        for (part, decay), parameters in groups.items()
    ]
    if settings.kind == "adamw":
        return torch.optim.AdamW(listed, betas=(0.9, 0.98))
    return torch.optim.SGD(listed, lr=0.0, momentum=settings.momentum)


def build_schedule(
    optimizer: torch.optim.Optimizer, settings: OptimSettings, plan: Plan
) -> torch.optim.lr_scheduler.LRScheduler:
    """Build the schedule; it is advanced once per step of `plan`."""
    if settings.schedule == "multistep":
        milestones = [epoch * plan.steps for epoch in settings.milestones]
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, settings.gamma)
    warmup, total = settings.warmup, plan.total

    def factor(step: int) -> float:
        """Rise in a straight line, then fall to 0 along half a cosine."""
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


class Amp:
    """Mixed precision: the autocast context, and the scaler of fp16.

    Parameters
    ----------
    precision : {"auto", "fp32", "bf16", "fp16"}
    device : torch.device
    """

    def __init__(self, precision: PrecisionChoice, device: torch.device) -> None:
        self.device = device
        self.precision = pick_precision(precision, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "fp16")

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context of a forward pass."""
        return autocast(self.precision, self.device)
