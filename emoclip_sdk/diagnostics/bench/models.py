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
    TemporalConfig,
    TowersConfig,
)
from ...model import EmoCLIP
from ...nn import DualEncoder

__all__ = ["BENCH_LABELS", "vit_b_32", "without_shape_stream"]

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


def without_shape_stream(model: EmoCLIP) -> EmoCLIP:
    """Build a model with the towers of another one, without its shape stream."""
    config = dataclasses.replace(model.config, shape=None, actions=None)
    network = DualEncoder(config)
    state = model.encoder.network.state_dict()
    network.load_state_dict({key: state[key] for key in network.state_dict()})
    return EmoCLIP(config, network, name=f"{model.name}, pixels alone", device="cpu")
