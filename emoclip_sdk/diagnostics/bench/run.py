"""Speed, memory and accuracy in one run, as rows of ratios.

The contestants of a row take turns, so that a machine that changes its speed changes it for all of
them; figures are medians, and ratios of medians.
"""

from __future__ import annotations

import functools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ...errors import VideoError
from ...faces import MTCNNDetector, face_frames
from ...faces.boxes import iou
from ...inference.devices import has_amx
from ...model import EmoCLIP
from ...runtime.machine import machine_facts
from ...runtime.metering import in_steps
from ...runtime.progress import ProgressOption
from ...video import open_video
from .actions import actions_rows
from .clips import interview as repeated
from .clips import moving_face, portrait
from .gpu import encoding_row
from .models import BENCH_LABELS, vit_b_32, without_shape_stream
from .reference import ReferencePipeline

__all__ = ["run_benchmarks"]


def _in_turns(
    contestants: dict[str, Callable[[], Any]], rounds: int, warm: int = 1
) -> dict[str, float]:
    """Return the median seconds of contestants that take turns; the first `warm` do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + warm):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if turn >= warm:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _decode_only(path: Path) -> None:
    """Decode every frame and use none."""
    open_video(path).count()


def _short_clip(clip: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure a ten-second clip, from its path to scores."""
    exact, quick = vit_b_32("float32"), vit_b_32()
    mini = EmoCLIP.from_pretrained(device="cpu")
    pixels = without_shape_stream(mini)
    reference = ReferencePipeline(exact, BENCH_LABELS)
    crops = torch.randn(1, exact.config.sampling.n_frames, 3, 224, 224)

    def floor() -> None:
        _decode_only(clip)
        quick.encode_video(crops)

    times = _in_turns(
        {
            "reference": lambda: reference(clip),
            "ours": lambda: quick.classify(clip, BENCH_LABELS, sampling="uniform"),
            "decode and encode": floor,
            "embedded model": lambda: mini.classify(clip),
        },
        rounds,
    )
    encoding = _in_turns(
        {
            "reference, float32": lambda: exact.encoder.network.encode_video(crops),
            "ours": lambda: quick.encode_video(crops),
        },
        rounds,
    )
    small = _in_turns(
        {
            "ours": lambda: mini.classify(clip),
            "pixels alone": lambda: pixels.classify(clip),
            "decode only": lambda: _decode_only(clip),
        },
        rounds,
    )
    windows = _in_turns(
        {
            "step 0.25": lambda: mini.timeline(clip, window=2, step=0.25),
            "step 2": lambda: mini.timeline(clip, window=2, step=2),
        },
        rounds,
    )
    return [
        _row("10 s of 720p, ViT-B/32: reference / ours", times, "reference", "ours", ">= 8"),
        _row(
            "the same: ours / (decode + forward of 32 crops)",
            times, "ours", "decode and encode", "<= 1.4",
        ),
        _row("embedded model: ours / decode only", small, "ours", "decode only", "<= 1.5"),
        _row(
            "embedded model / the same without its shape stream",
            small, "ours", "pixels alone", "<= 1.6",
        ),
        _row(
            "reference, ViT-B/32 / embedded model",
            times, "reference", "embedded model", ">= 8",
        ),
        _row(
            "32 frames of ViT-B/32: reference in float32 / ours",
            encoding, "reference, float32", "ours", ">= 4",
        ),
        _row(
            "timeline of 2 s windows: step 0.25 s / step 2 s",
            windows, "step 0.25", "step 2", "<= 1.15",
        ),
    ]  # fmt: skip


def _row(figure: str, times: dict[str, float], over: str, under: str, goal: str) -> dict[str, Any]:
    """Return one row of the table: the time of `over` divided by that of `under`."""
    return {
        "figure": figure,
        "ratio": round(times[over] / times[under], 3),
        "goal": goal,
        "seconds": {name: round(times[name], 4) for name in (over, under)},
    }


def _many_clips(folder: Path, clips: int) -> list[dict[str, Any]]:
    """Measure short clips by several processes, and one after another."""
    files = [folder / f"{i:04d}.mp4" for i in range(clips)]
    for file in files:
        shutil.copy(portrait(), file)
    model = EmoCLIP.from_pretrained(device="cpu")
    model.classify(files[0])
    paths = [str(file) for file in files]
    times = _in_turns(
        {
            "one after another": lambda: model.classify(paths),
            "batch": lambda: list(model.classify_batch(paths)),
        },
        rounds=1,
        warm=0,
    )
    for file in files:
        file.unlink()
    figure = f"{clips} clips of 3 s: one after another / batch"
    return [_row(figure, times, "one after another", "batch", ">= 1.6")]


def _videos_in(media: Path) -> list[Path]:
    """Return the videos of a folder to compare on; refuse one without any."""
    paths = sorted(media.rglob("*.m[po][4v]"))
    if not paths:
        raise VideoError(str(media), "holds no .mp4, .mov or .m4v files to compare on")
    return paths


def _accuracy(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Compare boxes and scores with the reference pipeline's, on real clips."""
    exact = EmoCLIP.from_pretrained(device="cpu", dtype="float32")
    quick = EmoCLIP.from_pretrained(device="cpu")
    reference = ReferencePipeline(exact, BENCH_LABELS)
    detector = MTCNNDetector(quick.config.faces)
    overlaps, differences = [], {}
    for path in paths:
        frames = list(open_video(path).sample(quick.config.sampling.rate))
        ours = face_frames(frames, quick.config.faces, size=48, detector=detector)
        for frame, tracked in zip(frames, ours, strict=True):
            boxes = reference.boxes(frame.rgb)
            if len(boxes) and tracked.faces:
                overlaps.append(max(iou(tuple(boxes[0]), face.box) for face in tracked.faces))
        scores = quick.classify(path, BENCH_LABELS, sampling="uniform")
        if scores.face_found:
            other = reference(path)
            largest = max(abs(scores.scores[name] - other[name]) for name in BENCH_LABELS)
            differences[path.name] = round(largest, 4)
    if not overlaps or not differences:
        raise VideoError(str(paths[0].parent), "no video shows a face to compare on")
    good = sum(overlap >= 0.85 for overlap in overlaps)
    return [
        {
            "figure": "boxes with IoU >= 0.85 of full-resolution MTCNN's, share",
            "ratio": round(good / len(overlaps), 4),
            "goal": "1",
            "values": {
                "frames": len(overlaps),
                "median": round(statistics.median(overlaps), 4),
                "smallest": round(min(overlaps), 4),
            },
        },
        {
            "figure": "largest difference of a score from the reference pipeline's",
            "ratio": max(differences.values()),
            "goal": "<= 0.02",
            "values": differences,
        },
    ]


CHILD = """
import json, resource, sys, time
from emoclip_sdk import EmoCLIP
from emoclip_sdk.probes.interview import interview_clips
model = EmoCLIP.from_pretrained(device="cpu")
start = time.perf_counter()
if sys.argv[2] == "timeline":
    n = sum(1 for _ in model.timeline_rows(sys.argv[1], window=2, step=1))
elif sys.argv[2] == "actions":
    n = sum(1 for _ in model.actions_rows(sys.argv[1]))
else:
    n = len(interview_clips(model, sys.argv[1]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - start, peak, n]))
"""


def _long_videos(
    clip: Path, folder: Path, minutes: Sequence[int], task: str, goal: str
) -> list[dict[str, Any]]:
    """Peak memory and time per minute of a short and a long video, each in a process of its own.

    `task`: "timeline" or "actions", row by row; or "interview", the clips of the person longest in
    view.
    """
    measured = {}
    for length in minutes:
        video = repeated(folder / f"{length}.mp4", clip, length)
        command = [sys.executable, "-c", CHILD, str(video), task]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, peak, rows = json.loads(out)
        measured[length] = {"seconds a minute": seconds / length, "peak [MB]": peak, "rows": rows}
        video.unlink()
    short, long = (measured[length] for length in minutes)
    name = f"{task}, {minutes[1]} min / {minutes[0]} min"
    values = {
        f"{length} min": {key: round(value, 3) for key, value in measured[length].items()}
        for length in minutes
    }
    return [
        {
            "figure": f"{name}: {key}",
            "ratio": round(long[key] / short[key], 3),
            "goal": goal,
            "values": values,
        }
        for key in ("peak [MB]", "seconds a minute")
    ]


def _interview(folder: Path) -> list[dict[str, Any]]:
    small = moving_face(folder / "small.mp4", width=640, height=480)
    return _long_videos(small, folder, (10, 120), "interview", "<= 1.1")


def run_benchmarks(
    *,
    turns: int = 5,
    clips: int = 200,
    media: Path | None = None,
    long: bool = False,
    interview: bool = False,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Measure the requested rows.

    Parameters
    ----------
    turns : int
        Of the contestants on a ten-second clip; 0 leaves these rows out.
    clips : int
        Short clips for a batch; 0 leaves that row out.
    media : Path, optional
        A folder of real clips, on which boxes and scores are compared with the reference
        pipeline's.
    long, interview : bool
        60 against 5 minutes of 720p for a timeline and for actions; 120 against 10 minutes of 480p
        for clips.
    progress : bool or callable, optional
        Told which rows are being measured.

    With a CUDA device, its utilization by encoding is a row, too.

    Returns
    -------
    dict
        "machine", "turns", and "rows": each with "figure", "ratio" (of times, unless "figure" says
        otherwise), "goal" and what it is made of.
    """
    videos = _videos_in(media) if media is not None else []
    steps: list[tuple[str, Callable[[], list[dict[str, Any]]]]] = []
    if torch.cuda.is_available():
        steps.append(("the GPU", lambda: [encoding_row(vit_b_32(device="cuda"), 224)]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clip = moving_face(folder / "clip.mp4")
        if turns:
            steps.append(("a short clip", lambda: _short_clip(clip, turns)))
            steps.append(("facial actions", lambda: actions_rows(folder, turns)))
        if clips:
            steps.append((f"{clips} clips", lambda: _many_clips(folder, clips)))
        if videos:
            steps.append(("boxes and scores", lambda: _accuracy(videos)))
        if long:
            steps += [
                (
                    f"{task} of an hour",
                    functools.partial(_long_videos, clip, folder, (5, 60), task, "<= 1.05"),
                )
                for task in ("timeline", "actions")
            ]
        if interview:
            steps.append(("two hours of interview", lambda: _interview(folder)))
        rows = [row for step in in_steps(steps, progress) for row in step]
    machine = {**machine_facts(torch.device("cpu")), "amx": has_amx()}
    return {"machine": machine, "turns": turns, "rows": rows}
