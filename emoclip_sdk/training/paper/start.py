"""The network a run starts from: a checkpoint with another temporal module, or random towers."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import torch

from ...checkpoints import EMBEDDED, load
from ...config import (
    FORMAT_VERSION,
    ModelConfig,
    PromptConfig,
    Window,
    read_dataclass,
)
from ...errors import EmoCLIPError
from ...model import EmoCLIP
from ...nn import DualEncoder
from ...prompts import PromptBank
from ..engine.bag_of_words import start_as_bag_of_words
from .settings import ModelSettings

__all__ = ["start_model"]

T = TypeVar("T")


def start_model(
    settings: ModelSettings,
    labels: tuple[str, ...],
    *,
    seed: int,
    device: torch.device,
    window: Window | None = None,
    learns: bool = True,
) -> EmoCLIP:
    """Build the model that a run starts from.

    Parameters
    ----------
    settings : ModelSettings
    labels : tuple of str
        Become the model's own label set.
    seed : int
        Of random weights.
    device : torch.device
    window : {"wrap", "inside"}, optional
        How training fills short clips, for the model's configuration.
    learns : bool
        A checkpoint's space of actions, which does not learn with the rest, is left out then.

    Returns
    -------
    EmoCLIP
        In float32. Its network is frozen and in eval mode.

    Raises
    ------
    EmoCLIPError
        A checkpoint that can't be loaded, or settings that contradict each other.
    """
    if (settings.start is None) == (settings.towers is None):
        raise EmoCLIPError("recipe: model: give either start or towers, not both and not neither")
    prompts = None
    if settings.start is None:
        base = ModelConfig.from_dict(
            {"format_version": FORMAT_VERSION, "towers": settings.towers}, where="recipe: model"
        )
        old = None
    else:
        name = None if settings.start in ("embedded", EMBEDDED) else settings.start
        checkpoint = load(name, dtype=torch.float32)
        base, old = checkpoint.config, checkpoint.model
        if checkpoint.prompts is not None:
            prompts = PromptBank.from_yaml(checkpoint.prompts)
    config = dataclasses.replace(
        base,
        temporal=_changed(base.temporal, settings.temporal, "temporal"),
        shape=settings.shape or base.shape,
        actions=None if learns else base.actions,
        sampling=dataclasses.replace(
            _changed(base.sampling, settings.sampling, "sampling"), window=window
        ),
        image=_changed(base.image, settings.image, "image"),
        prompts=PromptConfig(labels),
        info={},
    )
    if settings.prompts is not None:
        prompts = PromptBank.from_yaml(settings.prompts, base=prompts or PromptBank.default())
    if settings.bag_of_words and settings.start is not None:
        raise EmoCLIPError("recipe: model.bag_of_words is for random towers, not with model.start")
    torch.manual_seed(seed)
    network = DualEncoder(config)
    if settings.bag_of_words:
        start_as_bag_of_words(network.towers.text)
    new_temporal = old is None or config.temporal != base.temporal
    new = [*(("temporal.",) if new_temporal else ()), *(("shape.",) if settings.shape else ())]
    if config.actions is None:
        new.append("actions.")
    if old is not None:
        kept = {
            name: tensor
            for name, tensor in old.state_dict().items()
            if not name.startswith(tuple(new))
        }
        network.load_state_dict({**network.state_dict(), **kept})
    if new_temporal:
        with torch.no_grad():
            for name, parameter in network.temporal.named_parameters():
                if name in ("cls_token", "positions"):
                    parameter.mul_(settings.token_std)
    if settings.shape is not None and network.shape is not None:
        # It says nothing yet, so that a model that knows its task begins as it was.
        torch.nn.init.zeros_(network.shape.fc2.weight)
        torch.nn.init.zeros_(network.shape.fc2.bias)
    # float32: these are the weights that learn and that are saved.
    return EmoCLIP(
        config,
        network,
        prompts=prompts,
        name=settings.start or "random towers",
        device=device,
        dtype="float32",
    )


def _changed(base: T, changes: dict[str, Any] | None, where: str) -> T:
    values = {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}  # type: ignore[arg-type]
    return read_dataclass(type(base), {**values, **(changes or {})}, f"recipe: model.{where}")
