"""Estimate how long the paper's experiments compute: `python tools/gpu_hours.py --tflops 100`.

The operations of one clip's training step are counted on tensors without content, and multiplied by
clips (as published), epochs and folds. Reading pictures from disk is not in it. With --measure, the
rates are those of this GPU, for encoding frames and for a step that trains both towers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from emoclip_sdk.config import TemporalConfig, TowersConfig
from emoclip_sdk.nn import Towers, build_temporal, contrastive_loss
from emoclip_sdk.training.data.datasets.sizes import published_sizes
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.paper.reference import reference_settings

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


def measured_rates(clips: int = 8, steps: int = 10) -> tuple[float, float]:
    """Time ViT-B/32 on the GPU in bf16: operations a second of encoding, and of a training step."""
    recipe = load_recipe("mafw-finetuned")
    frames = recipe["model"]["sampling"]["n_frames"]
    encode, step = clip_operations(recipe)
    temporal = {**vars(TemporalConfig()), **(recipe["model"]["temporal"] or {})}
    with torch.device("cuda"):
        towers = Towers(TowersConfig(name="ViT-B-32", quick_gelu=True))
        module = build_temporal(towers.width, TemporalConfig(**temporal))
        pictures = torch.randn(clips * frames, 3, 224, 224)
        tokens = torch.randint(1, 49000, (clips, TOKENS))
        tokens[:, -1] = 49407  # the end of the text, which decides how much of it is read
    if recipe["optim"]["grad_checkpointing"]:
        visual: Any = towers.visual
        visual.set_grad_checkpointing(True)
    learners = torch.nn.ModuleList([towers, module])
    optimizer = torch.optim.AdamW(learners.parameters(), lr=1e-6)

    def embed() -> None:
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
            towers.encode_images(pictures)

    def train() -> None:
        with torch.autocast("cuda", torch.bfloat16):
            video = module(towers.encode_images(pictures).view(clips, frames, -1), None)
            loss = contrastive_loss(video, towers.encode_tokens(tokens), torch.tensor(2.0).cuda())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    rates = []
    for call, operations_each in ((embed, encode), (train, step)):
        times = []
        for _ in range(steps + 3):
            torch.cuda.synchronize()
            start = time.perf_counter()
            call()
            torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        rates.append(clips * operations_each / statistics.median(times[3:]))
    return rates[0], rates[1]


def main() -> None:
    """Parse, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--tflops", type=float, default=100.0, help="sustained rate of the card, 10^12 a second"
    )
    parser.add_argument("--reference", action="store_true", help="as the authors' scripts have it")
    parser.add_argument("--measure", action="store_true", help="measure the rates on this GPU")
    options = parser.parse_args()
    if options.measure and not torch.cuda.is_available():
        parser.error("--measure needs a GPU; without one, say its rate by --tflops")
    encoding = training = options.tflops * 1e12
    if options.measure:
        encoding, training = measured_rates()
        print(
            f"{torch.cuda.get_device_name()}: {encoding / 1e12:.0f} TFLOP/s in encoding frames, "
            f"{training / 1e12:.0f} in a training step of both towers"
        )
    print(f"{'recipe':22}{'dataset':9}{'clips':>7}{'epochs':>8}{'runs':>6}{'10^15':>8}{'hours':>8}")
    for name, dataset in EXPERIMENTS:
        recipe = load_recipe(name)
        if options.reference:
            over = reference_settings(recipe["experiment"], dataset)
            recipe = load_recipe(name, over=over)
        encode, step = clip_operations(recipe)
        sizes = published_sizes(dataset)
        assert sizes is not None
        counts = sizes.splits["train"]
        assert isinstance(counts, tuple)
        held_out = recipe["data"]["valid_share"] if recipe["selection"]["split"] == "valid" else 0
        clips = round(sum(counts) * (1 - held_out))
        epochs, runs = recipe["optim"]["epochs"], 5
        steps, views = clips * epochs * step * runs, 0
        if recipe["optim"]["lr"]["visual"] is None:
            views = clips * recipe["data"]["views"] * encode * runs
        if name == "loco":  # one run without each class; the embeddings are shared
            steps *= len(counts)
        hours = (steps / training + views / encoding) / 3600
        print(
            f"{name:22}{dataset:9}{clips:7}{epochs:8}{runs:6}{(steps + views) / 1e15:8.0f}"
            f"{hours:8.2f}"
        )


if __name__ == "__main__":
    main()
