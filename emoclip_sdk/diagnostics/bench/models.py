"""Models for speed and memory alone, with random weights of the right shapes.

Their scores mean nothing.
"""

from __future__ import annotations

import dataclasses

import torch

from ...config import (
    ImageConfig,
    ModelConfig,
    PromptConfig,
    ShapeConfig,
    TemporalConfig,
    TowersConfig,
)
from ...model import EmoCLIP
from ...nn import DualEncoder

__all__ = ["BENCH_LABELS", "vit_b_32", "with_shape_stream"]

BENCH_LABELS = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
]


def vit_b_32(dtype: str = "auto", device: str = "cpu") -> EmoCLIP:
    """Build a model of the paper's sizes."""
    torch.manual_seed(0)
    temporal = TemporalConfig(layers=2, heads=8, dim_head=2048, mlp_dim=512, max_positions=1024)
    config = ModelConfig(
        TowersConfig(name="ViT-B-32", quick_gelu=True),
        temporal,
        image=ImageConfig(size=224),
        prompts=PromptConfig(tuple(BENCH_LABELS)),
    )
    return EmoCLIP(config, DualEncoder(config), name="ViT-B/32, random", dtype=dtype, device=device)


def with_shape_stream(model: EmoCLIP) -> EmoCLIP:
    """Build a model with a random shape stream beside the towers of one that has none."""
    torch.manual_seed(0)
    config = dataclasses.replace(model.config, shape=ShapeConfig())
    network = DualEncoder(config)
    network.load_state_dict(model.encoder.network.state_dict(), strict=False)
    return EmoCLIP(config, network, name=f"{model.name}, random shape stream", device="cpu")
