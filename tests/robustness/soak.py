"""The long part: ``make soak``."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from conftest import tiny_config, write_checkpoint

from .claims import claims
from .codec_clips import Clip, whole_clips
from .damaged_checkpoints import load_damaged
from .killing import can_mount, fill_the_disk, jobs, kill_at_random
from .limited_reading import open_all_calls, open_models, read_all
from .long_runs import many_clips, many_hours
from .mutations import damaged, large_files, oddities
from .structures import mutated, mutated_config, mutated_prompts

# What is found: a name, a figure; and promises that were broken.
Part = Callable[[Path, Path], tuple[list[tuple[str, str]], list[str]]]

N_DAMAGED = 1000
N_STRUCTURES = 600
N_CONFIGS = 250
N_PROMPTS = 150
SEED = int(os.environ.get("SOAK_SEED", "0"))  # of the last three
N_CHECKPOINTS = 200
N_KILLS = {"batch": 40, "timeline -o": 20, "crop": 20, "caching and training": 20}
N_CLIPS = 2000
HOURS = 8


def videos(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Read damaged and lying files."""
    clips = itertools.chain(whole_clips(), oddities(), large_files(), damaged(N_DAMAGED))
    report = read_all(clips, checkpoint, folder)
    return report.lines(), report.wrong


def structures(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Read files whose structure was changed, through each of the five main calls."""
    clips = itertools.chain(claims(), mutated(N_STRUCTURES, seed=SEED))
    report = read_all(clips, checkpoint, folder, checks=open_all_calls)
    return report.lines(), report.wrong


def models(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Load models with changed configurations and prompt files."""
    config = json.loads((checkpoint / "config.json").read_text())

    def files() -> Iterator[Clip]:
        rng = random.Random(SEED)
        for i in range(N_CONFIGS):
            data = json.dumps(mutated_config(config, rng)).encode()
            yield Clip(f"config-{i}.json", "json", data)
        for i in range(N_PROMPTS):
            yield Clip(f"prompts-{i}.yaml", "yaml", mutated_prompts(rng))

    report = read_all(files(), checkpoint, folder, checks=open_models)
    return report.lines(), report.wrong


def checkpoints(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Load damaged and lying weights."""
    found, wrong = load_damaged(checkpoint, folder, N_CHECKPOINTS)
    return [("tried", str(N_CHECKPOINTS)), *((k, str(n)) for k, n in found.items())], wrong


def kills(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Kill commands at random moments."""
    tolls = [kill_at_random(job, N_KILLS[job.name]) for job in jobs(folder, checkpoint)]
    rows = [(f"{toll.name}, kills", str(toll.kills)) for toll in tolls]
    wrong = [f"{toll.name}: {text}" for toll in tolls for text in toll.wrong]
    return [*rows, ("promises broken", str(len(wrong)))], wrong


def full_disk(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Write to a disk that is full, and to one that can't be written to."""
    if not can_mount():
        return [("tried", "no: only root can mount a small disk")], []
    wrong = fill_the_disk(folder, checkpoint)
    return [("promises broken", str(len(wrong)))], wrong


def flat(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Run for long in one process."""
    from emoclip_sdk import EmoCLIP

    model = EmoCLIP.from_pretrained(checkpoint, device="cpu")
    before, after = many_clips(model, N_CLIPS, N_CLIPS // 5)
    results, early, late = many_hours(model, folder / "long.mp4", HOURS, HOURS / 8)
    rows = [
        (f"{N_CLIPS} clips", f"{before.memory_mb:.0f} MB, then {after.memory_mb:.0f} MB"),
        (f"{HOURS} hours", f"{results} rows, {early.memory_mb:.0f}, {late.memory_mb:.0f} MB"),
    ]
    return rows, [*after.grown(before), *late.grown(early)]


def properties(folder: Path, checkpoint: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Run the property tests with many new examples."""
    here = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", here / "properties"],
        env={**os.environ, "HYPOTHESIS_PROFILE": "soak"},
        capture_output=True,
        text=True,
    )
    summary = done.stdout.strip().rpartition("\n")[2]
    return [("properties", summary)], [] if done.returncode == 0 else [done.stdout[-3000:]]


PARTS: dict[str, Part] = {
    "videos": videos,
    "structures": structures,
    "models": models,
    "checkpoints": checkpoints,
    "kills": kills,
    "disk": full_disk,
    "flat": flat,
    "properties": properties,
}


def _run(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = write_checkpoint(Path(folder) / "tiny", tiny_config())
            work = Path(folder) / "work"
            work.mkdir()
            rows, wrong = PARTS[name](work, checkpoint)
        print(f"{name}, {time.monotonic() - begun:.0f} s")
        for what, figure in rows:
            print(f"  {what:28} {figure}")
        for text in wrong:
            print(f"  BROKEN: {text}")
            yield f"{name}: {text}"
        sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run all parts, or those that are named; print the table; 1 if a promise was broken."""
    wrong = list(_run(list(arguments) or list(PARTS)))
    print(*(wrong or ["every promise was kept"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
