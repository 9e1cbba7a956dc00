"""Estimate how long the paper's experiments compute: `python tools/gpu_hours.py --tflops 100`.

Nothing is run: the operations of one clip's training step are counted on tensors without content,
and multiplied by clips (as published), epochs and folds. Reading pictures from disk is not in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from emoclip_sdk.config import TemporalConfig, TowersConfig
from emoclip_sdk.nn import Towers, build_temporal
from emoclip_sdk.training.datasets.sizes import published_sizes
from emoclip_sdk.training.recipe import load_recipe

EXPERIMENTS = (
    ("mafw-frozen", "mafw"),
    ("mafw-finetuned", "mafw"),
    ("clip-frame-ensemble", "mafw"),
    ("supervised", "dfew"),
    ("loco", "dfew"),
)
TOKENS = 77


def operations(call: Callable[[], Any]) -> int:
    """Count the floating-point operations of a call, a multiplication with an addition as two."""
    counter = FlopCounterMode(display=False)
    with counter:
        call()
    return int(counter.get_total_flops())


def clip_operations(recipe: dict[str, Any]) -> tuple[int, int]:
    """Operations of encoding one clip's frames, and of one training step per clip besides."""
    frames = recipe["model"]["sampling"]["n_frames"]
    temporal = {**vars(TemporalConfig()), **(recipe["model"]["temporal"] or {})}
    with torch.device("meta"):
        towers = Towers(TowersConfig(name="ViT-B-32", quick_gelu=True))
        module = build_temporal(towers.width, TemporalConfig(**temporal))
        pictures = torch.empty(frames, 3, 224, 224)
        embedded = torch.empty(1, frames, towers.width, requires_grad=True)
    towers.eval()
    encode = operations(lambda: towers.encode_images(pictures))
    step = operations(lambda: module(embedded, None).sum().backward())
    if recipe["optim"]["lr"]["visual"] is not None:
        blocks: Any = towers.text.transformer
        words = torch.empty(1, TOKENS, blocks.width, device="meta", requires_grad=True)
        step += operations(lambda: blocks(words).sum().backward())
        step += operations(lambda: towers.encode_images(pictures).sum().backward())
        if recipe["optim"]["grad_checkpointing"]:
            step += encode
    return encode, step


def main() -> None:
    """Parse, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--tflops", type=float, default=100.0, help="sustained rate of the card, 10^12 a second"
    )
    rate = parser.parse_args().tflops * 1e12
    print(f"{'recipe':22}{'dataset':9}{'clips':>7}{'epochs':>8}{'runs':>6}{'10^15':>8}{'hours':>8}")
    for name, dataset in EXPERIMENTS:
        recipe = load_recipe(name)
        encode, step = clip_operations(recipe)
        sizes = published_sizes(dataset)
        assert sizes is not None
        counts = sizes.splits["train"]
        assert isinstance(counts, tuple)
        clips = round(sum(counts) * (1 - recipe["data"]["valid_share"]))
        epochs, runs = recipe["optim"]["epochs"], 5
        total = clips * epochs * step
        if recipe["optim"]["lr"]["visual"] is None:
            total += clips * recipe["data"]["views"] * encode
        if name == "loco":  # one run without each class; the embeddings are shared
            total += clips * epochs * step * (len(counts) - 1)
        total *= runs
        print(
            f"{name:22}{dataset:9}{clips:7}{epochs:8}{runs:6}{total / 1e15:8.0f}"
            f"{total / rate / 3600:8.2f}"
        )


if __name__ == "__main__":
    main()
