"""Kills commands at random moments, fills their disk, and looks at what they leave behind."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .codec_clips import encode

N_VIDEOS = 24
N_FRAMES = 600


@dataclass
class Job:
    """A command that may be killed, and what must hold.

    Attributes
    ----------
    command : list of str
        The same command begins and goes on.
    between : callable
        Raises AssertionError where something that is there is not whole. Called after each kill.
    after : callable
        Raises AssertionError where the result is not what an undisturbed run gives.
    outputs : list of Path
        What it writes.
    """

    name: str
    command: list[str]
    outputs: list[Path]
    between: Callable[[], None]
    after: Callable[[], None]


@dataclass
class Toll:
    """What became of a job."""

    name: str
    kills: int = 0
    wrong: list[str] = field(default_factory=list)


def jobs(folder: Path, checkpoint: Path) -> list[Job]:
    """Make the jobs, with their videos, in a folder of their own."""
    options = ["--model", str(checkpoint), "--device", "cpu", "--faces", "none"]
    emoclip = [sys.executable, "-m", "emoclip_sdk"]
    videos = folder / "videos"
    videos.mkdir()
    kinds = (("mp4", "mpeg4"), ("webm", "libvpx"), ("mkv", "libx264"))
    for i in range(N_VIDEOS):
        suffix, codec = kinds[i % len(kinds)]
        (videos / f"{i:02}.{suffix}").write_bytes(encode(suffix, codec, "yuv420p", n=25))
    long = folder / "long.mp4"
    long.write_bytes(encode("mp4", "mpeg4", "yuv420p", n=N_FRAMES))
    table, rows = folder / "table.parquet", folder / "rows.csv"
    crops = folder / "crops"
    trained = folder / "training"

    return [
        Job(
            "batch",
            [*emoclip, "batch", str(videos), "-o", str(table), *options, "--workers", "2"],
            [table, Path(f"{table}.parts")],
            lambda: _table_is_whole(table),
            lambda: _all_rows(table),
        ),
        Job(
            "timeline -o",
            [*emoclip, "timeline", str(long), "-o", str(rows), *options, "--step", "0.05"],
            [rows],
            lambda: _csv_is_whole(rows),
            lambda: _csv_is_whole(rows, must_be_there=True),
        ),
        Job(
            "crop",
            _ours(f"crop({str(videos)!r}, {str(crops)!r})"),
            [crops],
            lambda: _crops_are_whole(crops),
            lambda: _crops_are_whole(crops, N_VIDEOS),
        ),
        Job(
            "caching and training",
            _ours(f"train({str(trained)!r})"),
            [trained],
            lambda: None,
            lambda: _trained_the_same(trained, folder / "undisturbed"),
        ),
    ]


def _ours(call: str) -> list[str]:
    return [sys.executable, "-c", f"from robustness import killing; killing.{call}"]


def train(folder: str) -> None:
    """Train a tiny model on cached frame embeddings; run in a process of its own."""
    from training.paper.conftest import colors, tiny_recipe

    from emoclip_sdk.training.paper import run_experiment

    place = Path(folder)
    run_experiment(tiny_recipe(frozen=True), colors(), place / "out", place / "run")


def crop(videos: str, out: str) -> None:
    """Crop a folder of videos without looking for faces; run in a process of its own."""
    from emoclip_sdk.config import FaceConfig
    from emoclip_sdk.training.data.crop import CropSettings, find_videos
    from emoclip_sdk.training.data.crop_pool import crop_videos

    found, _ = find_videos(Path(videos), Path(out))
    settings = CropSettings(64, faces=FaceConfig(detector="none"))
    crop_videos(found, settings, workers=2, done=lambda result: None)


def _table_is_whole(table: Path) -> None:
    import pyarrow.parquet as pq

    for path in (table, *table.parent.glob(f"{table.name}.parts/*.parquet")):
        if path.exists():
            pq.read_table(path)


def _all_rows(table: Path) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(table).to_pylist()
    assert len({row["source"] for row in rows}) == len(rows) == N_VIDEOS, f"{len(rows)} rows"
    assert all(row["status"] == "ok" for row in rows)
    assert not table.with_name(f"{table.name}.parts").exists()


def _csv_is_whole(rows: Path, *, must_be_there: bool = False) -> None:
    assert rows.exists() or not must_be_there
    if rows.exists():
        with rows.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        assert abs(float(found[-1]["end"]) - N_FRAMES / 25) < 0.1, "the file is cut off"
        assert not any(None in row or None in row.values() for row in found)


def _crops_are_whole(crops: Path, n: int = 0) -> None:
    found = [path for path in crops.glob("*") if path.is_dir() and not path.name.startswith(".")]
    assert len(found) >= n, f"{len(found)} of {n} clips"
    for clip in found:
        sizes = {len(list(clip.glob("*.png"))) + len(list(clip.glob("*.jpg")))}
        assert sizes == {25}, f"{clip.name} has {sizes} frames"
    if n:
        left = [path.name for path in crops.glob(".*partial")]
        assert not left, f"{left} left behind"


def _trained_the_same(folder: Path, undisturbed: Path) -> None:
    if not undisturbed.exists():  # with as many threads
        start(_ours(f"train({str(undisturbed)!r})")).communicate()
    from safetensors.numpy import load_file

    one, other = (load_file(x / "out/model.safetensors") for x in (folder, undisturbed))
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name]), f"{name} differs"
    metrics = [json.loads((x / "run/metrics.json").read_text()) for x in (folder, undisturbed)]
    assert metrics[0] == metrics[1]


def start(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command, in a process group and with one thread."""
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join([str(tests), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    return subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )


def remove(outputs: Sequence[Path]) -> None:
    """Remove files and folders, as far as they are there."""
    for path in outputs:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)


def _check(claim: Callable[[], None]) -> list[str]:
    try:
        claim()
    except Exception as error:  # a file that can't be read fails in any way
        return [f"{type(error).__name__}: {error}"]
    return []


def kill_at_random(job: Job, kills: int, seed: int = 0) -> Toll:
    """Run a job to its end, killed `kills` times on the way."""
    toll = Toll(job.name)
    rng = np.random.default_rng(seed)
    length = 6.0  # seconds that a run takes, as far as is known
    while toll.kills < kills and not toll.wrong:
        begun = time.monotonic()
        process = start(job.command)
        with suppress(subprocess.TimeoutExpired):
            _, err = process.communicate(timeout=float(rng.uniform(0, length)))
            # It came to its end: the next one begins anew.
            length = time.monotonic() - begun
            toll.wrong += _check(job.after)
            if process.returncode != 0:
                toll.wrong.append(f"exit code {process.returncode}: {err[-500:]}")
            remove(job.outputs)
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        toll.kills += 1
        toll.wrong += _check(job.between)
    process = start(job.command)
    _, err = process.communicate()
    if process.returncode != 0:
        toll.wrong.append(f"exit code {process.returncode}: {err[-500:]}")
    toll.wrong += _check(job.after)
    return toll


def can_mount() -> bool:
    """Whether a small disk can be made here."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


def fill_the_disk(folder: Path, checkpoint: Path) -> list[str]:
    """Run jobs on a disk that is full, then read-only, then large enough; tell what went wrong."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk], check=True)
    wrong = []
    try:
        (folder / "jobs").mkdir()
        for job in jobs(folder / "jobs", checkpoint)[:2]:
            name = job.outputs[0].name
            command = [str(disk / name) if a == str(job.outputs[0]) else a for a in job.command]
            for state, expected in (
                ("size=8k", "No space left"),
                ("ro", "Read-only"),
                ("rw,size=64m", None),
            ):
                subprocess.run(["mount", "-o", f"remount,{state}", disk], check=True)
                process = start(command)
                _, err = process.communicate()
                there = (disk / name).exists()
                if (process.returncode == 0) != (expected is None) or there != (expected is None):
                    wrong.append(f"{job.name}, {state}: {process.returncode}, {there}: {err}")
                elif expected is not None and (expected not in err or "bug" in err):
                    wrong.append(f"{job.name}, {state}: {err}")
                shutil.move(disk / name, job.outputs[0]) if there else None
            wrong += _check(job.after)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    return wrong
