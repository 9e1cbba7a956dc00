"""What the frame cache saves: an epoch over cached embeddings beside one that encodes its clips.

    emoclip-train make-fixture --dataset mafw -o /tmp/mafw --clips-per-class 8 --compounds 0 \\
        --size 112 --frames 16 16
    python benchmarks/frozen_epoch.py /tmp/mafw

Both epochs are of the same training, on the same clips, in this process: batches, loss, gradient
and optimizer step of the recipe `mafw-frozen`, a random tower of ViT-B/32's shape at 224 pixels,
and all frames of each clip. They differ in where a batch comes from: windows of embeddings in
memory, or pictures that are decoded, augmented and put through the tower. What it takes to fill the
cache, once for each view, is told too. Prints JSON; times are in seconds per clip.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from emoclip_sdk.inference.devices import pick_device
from emoclip_sdk.runtime.worker_pool import WorkerPool
from emoclip_sdk.training.data.datasets import ClipDataset, open_clips
from emoclip_sdk.training.data.samples import ClipSource, DecodedFrames
from emoclip_sdk.training.engine.optim import Amp, build_optimizer, freeze
from emoclip_sdk.training.engine.plan import ShuffledPlan
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.paper import Process, read_settings
from emoclip_sdk.training.paper.setup import Experiment, encoded_texts, training_source
from emoclip_sdk.training.paper.start import start_model
from emoclip_sdk.training.paper.tasks import ContrastiveTask
from emoclip_sdk.training.paper.texts import text_table

RECIPE = "mafw-frozen"


def epoch_seconds(task: ContrastiveTask, experiment: Experiment, epochs: int) -> list[float]:
    """Train for some epochs and return the seconds that each clip of them took."""
    settings, device = experiment.settings, experiment.process.device
    plan = ShuffledPlan(
        samples=len(task.table.clips),
        batch_size=settings.optim.batch_size,
        epochs=epochs,
        seed=settings.seed,
    )
    optimizer, amp = build_optimizer(task.module, settings.optim), Amp("fp32", device)
    task.train()
    seconds, start = [], time.perf_counter()
    for step, batch in enumerate(task.batches(plan), start=1):
        task.backward(batch, amp)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % plan.steps == 0:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            now = time.perf_counter()
            seconds.append((now - start) / (plan.steps * plan.size))
            start = now
    return seconds


def measure(
    dataset: ClipDataset, clips: int, frames: int, workers: WorkerPool, changes: list[str]
) -> dict[str, object]:
    """Time both kinds of epoch."""
    recipe = load_recipe(
        RECIPE,
        [
            *("model.start=null", "model.towers={name: ViT-B-32}", "optim.precision=fp32"),
            *("data.views=1", f"optim.batch_size={min(clips, 64)}"),
            f"model.sampling={{n_frames: {frames}, rate: 25.0, stride: 1}}",
            *changes,
        ],
    )
    settings = read_settings(recipe)
    process = Process(device=pick_device())
    model = start_model(settings.model, dataset.classes, seed=0, device=process.device)
    table = text_table(
        dataset.splits["train"][:clips], dataset.classes, model.prompts, settings.objective
    )
    texts = encoded_texts(model, table, frozen=True)
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(settings, recipe, dataset, Path(folder), process, workers)
        start = time.perf_counter()
        cached, usable = training_source(experiment, model, table.clips)
        fill = (time.perf_counter() - start) / len(usable)
    decoded = DecodedFrames(
        table.clips,
        model.config,
        cropped=dataset.cropped,
        augmentation=settings.data.augmentation,
        seed=0,
        workers=workers,
        device=process.device,
    )
    network = model.encoder.network
    freeze(network, settings.optim.lr)

    def task(source: ClipSource) -> ContrastiveTask:
        return ContrastiveTask(network, source, table, texts, "own", False, 1, 0, process)

    quick = statistics.median(epoch_seconds(task(cached), experiment, 6)[1:])
    (slow,) = epoch_seconds(task(decoded), experiment, 1)
    learn = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return {
        "cached epoch": round(quick, 6),
        "re-encoding epoch": round(slow, 6),
        "ratio": round(slow / quick, 1),
        "filling the cache, each view": round(fill, 6),
        "learning parameters": learn,
        "clips": len(usable),
        "frames": frames,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("root", type=Path, help="MAFW, or its stand-in")
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help=f"change of {RECIPE}")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    dataset = open_clips("mafw", options.root)
    with WorkerPool(options.workers) as workers:
        figures = measure(dataset, options.clips, options.frames, workers, options.set)
    cuda = torch.cuda.is_available()
    machine = torch.cuda.get_device_name() if cuda else platform.processor() or platform.machine()
    with contextlib.suppress(AttributeError):  # not on every system
        cores = len(os.sched_getaffinity(0))
        machine += f", {cores} cores"
    print(json.dumps({**figures, "machine": machine, "torch": torch.__version__}, indent=2))


if __name__ == "__main__":
    main()
