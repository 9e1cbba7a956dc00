"""Speed and memory in one run: `python -m benchmarks [--long] [--json]`.

The contestants of a row take turns, so that a machine that changes its speed changes it for all of
them; figures are medians, and ratios of medians. ViT-B/32 has random weights of the right shapes:
it serves for speed and memory, and its scores mean nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.clips import interview, moving_face
from benchmarks.straightforward import Straightforward
from emoclip_sdk import EmoCLIP
from emoclip_sdk.config import ImageConfig, ModelConfig, PromptConfig, TemporalConfig, TowersConfig
from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.nn.inference import has_amx
from emoclip_sdk.training.evaluation.card.speed import machine_facts
from emoclip_sdk.video import open_video

LABELS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]


def vit_b_32(dtype: str = "auto") -> EmoCLIP:
    """Build a model of the paper's sizes with random weights."""
    torch.manual_seed(0)
    temporal = TemporalConfig(layers=2, heads=8, dim_head=2048, mlp_dim=512, max_positions=1024)
    config = ModelConfig(
        TowersConfig(name="ViT-B-32", quick_gelu=True),
        temporal,
        image=ImageConfig(size=224),
        prompts=PromptConfig(tuple(LABELS)),
    )
    return EmoCLIP(config, DualEncoder(config), name="ViT-B/32, random", dtype=dtype, device="cpu")


def turns(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median seconds of contestants that take turns; the first one is not counted."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if turn:
                found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in found.items()}


def decode_only(path: Path) -> None:
    """Decode every frame and use none."""
    open_video(path).count()


def short_clip(clip: Path, rounds: int) -> list[dict[str, Any]]:
    """A ten-second clip, from its path to scores."""
    exact, quick = vit_b_32("float32"), vit_b_32()
    plain = Straightforward(exact, LABELS)
    crops = torch.randn(1, exact.config.sampling.n_frames, 3, 224, 224)

    def floor() -> None:
        decode_only(clip)
        quick.encode_video(crops)

    times = turns(
        {
            "straightforward": lambda: plain(clip),
            "ours": lambda: quick.classify(clip, LABELS, sampling="uniform"),
            "decode and encode": floor,
        },
        rounds,
    )
    encoding = turns(
        {
            "reference, float32": lambda: exact.encoder.network.encode_video(crops),
            "ours": lambda: quick.encode_video(crops),
        },
        rounds,
    )
    mini = EmoCLIP.from_pretrained(device="cpu")
    small = turns(
        {"ours": lambda: mini.classify(clip), "decode only": lambda: decode_only(clip)}, rounds
    )
    windows = turns(
        {
            "step 0.25": lambda: mini.timeline(clip, window=2, step=0.25),
            "step 2": lambda: mini.timeline(clip, window=2, step=2),
        },
        rounds,
    )
    floors = {name: times[name] for name in ("ours", "decode and encode")}
    times = {name: times[name] for name in ("straightforward", "ours")}
    return [
        row("10 s of 720p, ViT-B/32: straightforward / ours", times, ">= 8"),
        row("the same: ours / (decode + forward of 32 crops)", floors, "<= 1.4"),
        row("embedded model: ours / decode only", small, "<= 1.5"),
        row("32 frames of ViT-B/32: reference in float32 / ours", encoding, ">= 4"),
        row("timeline of 2 s windows: step 0.25 s / step 2 s", windows, "<= 1.15"),
    ]  # fmt: skip


def row(figure: str, times: dict[str, float], goal: str) -> dict[str, Any]:
    """Return one row of the table: the first one's time over the second one's."""
    over, under = times
    seconds = {name: round(value, 4) for name, value in times.items()}
    return {
        "figure": figure,
        "ratio": round(times[over] / times[under], 3),
        "goal": goal,
        "seconds": seconds,
    }


CHILD = """
import json, resource, sys, time
from emoclip_sdk import EmoCLIP
model = EmoCLIP.from_pretrained(device="cpu")
start = time.perf_counter()
n = sum(1 for _ in model.timeline_rows(sys.argv[1], window=2, step=1))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.perf_counter() - start, peak, n]))
"""


def long_videos(clip: Path, folder: Path, minutes: tuple[int, int]) -> list[dict[str, Any]]:
    """Peak memory and time per minute of a short and a long video, each in a process of its own."""
    found = {}
    for length in minutes:
        video = interview(folder / f"{length}.mp4", clip, length)
        out = subprocess.run(
            [sys.executable, "-c", CHILD, str(video)], check=True, capture_output=True, text=True
        ).stdout
        seconds, peak, rows = json.loads(out)
        found[length] = {
            "seconds a minute": seconds / length,
            "peak [MB]": peak / 1024,
            "rows": rows,
        }
        video.unlink()
    short, long = (found[length] for length in minutes)
    name = f"{minutes[1]} min / {minutes[0]} min of 720p"
    return [
        {
            "figure": f"{name}: {key}",
            "ratio": round(long[key] / short[key], 3),
            "goal": "<= 1.05",
            "values": {f"{length} min": round(found[length][key], 3) for length in minutes},
        }
        for key in ("peak [MB]", "seconds a minute")
    ]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="counted turns of each contestant")
    parser.add_argument("--long", action="store_true", help="60 against 5 minutes of video as well")
    parser.add_argument("--minutes", type=int, nargs=2, default=(5, 60), help="lengths for --long")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = moving_face(Path(folder) / "clip.mp4")
        rows = short_clip(clip, options.rounds)
        if options.long:
            rows += long_videos(clip, Path(folder), tuple(options.minutes))
    machine = {**machine_facts(EmoCLIP.from_pretrained(device="cpu")), "amx": has_amx()}
    if options.json:
        print(json.dumps({"machine": machine, "rounds": options.rounds, "rows": rows}, indent=2))
        return
    print(", ".join(f"{name}: {value}" for name, value in machine.items()))
    for found in rows:
        print(f"{found['ratio']:8.3f}  {found['goal']:8}  {found['figure']}")


if __name__ == "__main__":
    main()
