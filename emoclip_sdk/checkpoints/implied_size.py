"""How large a network is that a configuration asks for, without building it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..config import ModelConfig
from ..errors import CheckpointError
from ..nn import open_clip_config

__all__ = ["check_implied_size"]

# What is a little too large is built, without memory, and its tensors are compared by name.
_FACTOR = 2
_WEIGHTS, _LAYERS = 1_000_000, 20


def check_implied_size(config: ModelConfig, tensors: Mapping[str, Tensor], where: str) -> None:
    """Refuse a configuration that asks for a far larger network than the file holds weights for.

    Raises
    ------
    CheckpointError
        Naming the part and both numbers.
    """
    n_weights = sum(tensor.numel() for tensor in tensors.values())
    try:
        parts = _parts(config)
    except CheckpointError as error:
        raise CheckpointError(f"{Path(where).with_name('config.json')}: {error}") from None
    for part, weights, layers in parts:
        if layers > len(tensors) + _LAYERS:
            raise CheckpointError(
                f"{where}: {part} in config.json asks for {layers} layers, and there are "
                f"{len(tensors)} tensors"
            )
        if weights > _FACTOR * n_weights + _WEIGHTS:
            raise CheckpointError(
                f"{where}: {part} in config.json asks for {weights:,} weights or more, and there "
                f"are {n_weights:,}"
            )


def _parts(config: ModelConfig) -> list[tuple[str, int, int]]:
    """Return parts of the network with their weights, at least, and layers."""
    model = open_clip_config(config.towers)
    joint = int(model["embed_dim"])
    parts = [("towers, image", *_image(model["vision_cfg"]))]
    if config.towers.text:
        parts.append(("towers, text", *_text(model["text_cfg"])))
        parts.append(("towers.text_head_hidden", joint * (config.towers.text_head_hidden or 0), 0))
    temporal = config.temporal
    if temporal.kind == "transformer":
        inner = temporal.heads * temporal.dim_head
        block = joint * (4 * inner + 2 * temporal.mlp_dim)
        weights = temporal.layers * block + temporal.max_positions * joint
        parts.append(("temporal", weights, temporal.layers))
    if config.shape is not None:
        parts.append(("shape", config.shape.hidden * joint, 0))
    if config.actions is not None:
        actions = config.actions
        layers = actions.frame_layers + actions.text_layers
        block = 8 * actions.width * actions.width
        weights = layers * block + temporal.max_positions * actions.width
        parts.append(("actions", weights + actions.hidden * joint, layers))
    return parts


def _image(section: Mapping[str, Any]) -> tuple[int, int]:
    layers, width = section.get("layers", 12), section.get("width", 768)
    if section.get("timm_model_name"):
        return 0, 0  # its size is in its name
    if isinstance(layers, list):
        return width * width, sum(layers)
    size, patch = section.get("image_size", 224), section.get("patch_size") or 16
    sides = size if isinstance(size, list) else [size, size]
    patches = (sides[0] // patch) * (sides[1] // patch)
    return layers * 4 * width * width + (patches + 3 * patch * patch) * width, layers


def _text(section: Mapping[str, Any]) -> tuple[int, int]:
    layers, width = section.get("layers", 12), section.get("width", 512)
    rows = section.get("vocab_size", 49408) + section.get("context_length", 77)
    return layers * 4 * width * width + rows * width, layers
