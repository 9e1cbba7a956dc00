"""A dataset that fits on a page: each class has its color. And tiny towers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emoclip_sdk.training.data.datasets.clips import Clip, ClipDataset

CLASSES = ("neutral", "happiness", "anger", "surprise")
COLORS = ((0, 0, 0), (190, 0, 0), (0, 190, 0), (0, 0, 190))
CAPTIONS = (
    None,
    "mouth corners pulled up",
    "brows lowered and lips pressed",
    "brows raised and jaw dropped",
)


def make_clip(label: int, number: int, split: str = "train") -> Clip:
    rng = np.random.default_rng([label, number, len(split)])
    frames = rng.integers(0, 60, (int(rng.integers(5, 14)), 32, 32, 3)).astype(np.uint8)
    frames += np.array(COLORS[label], np.uint8)
    return Clip(f"{split}-{label}-{number}", frames, label, CAPTIONS[label], f"person {number % 5}")


def colors(per_class: int = 4) -> ClipDataset:
    """Four classes of `per_class` training clips, two for validation and two for the test."""
    counts = {"train": per_class, "valid": 2, "test": 2}
    splits = {
        name: tuple(make_clip(c, i, name) for i in range(n) for c in range(4))
        for name, n in counts.items()
    }
    return ClipDataset("colors", CLASSES, splits)


def tiny_recipe(experiment: str = "contrastive", *, frozen: bool = True) -> dict[str, Any]:
    """Random towers of a few thousand parameters, 8 steps in 2 epochs of `colors()`."""
    rates = {"temporal": 3e-3, "logit_scale": 3e-3}
    if not frozen:
        rates |= {"visual": 1e-3, "text_blocks": 1e-3, "text_rest": 1e-3}
    towers = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 32, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16,
        },
        "text_cfg": {
            "context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1,
        },
    }  # fmt: skip
    return {
        "name": "tiny",
        "experiment": experiment,
        "seed": 3,
        "model": {
            "start": None,
            "towers": {"model": towers},
            "temporal": {"layers": 1, "heads": 2, "dim_head": 8, "mlp_dim": 16, "max_positions": 8},
            "token_std": 0.02,
            "sampling": {"n_frames": 4, "rate": 12.5, "stride": 2},
            "image": {"size": 32},
        },
        "data": {"views": 2, "workers": 0},
        "objective": {"texts": "captions", "positives": "text"},
        "optim": {
            "kind": "adamw",
            "epochs": 2,
            "batch_size": 4,
            "lr": {"probe": 1e-2} if experiment == "probe" else rates,
            "weight_decay": 0.01,
            "schedule": "cosine",
            "warmup": 2,
        },
        "run": {"save_every": 3, "log_every": 1},
    }


@pytest.fixture(scope="session")
def dataset() -> ClipDataset:
    return colors()
