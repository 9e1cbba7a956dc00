"""Cropping in processes: what a bad video or Ctrl-C does to the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from builders import write_video

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.training.data.crop import (
    CropJob,
    CropResult,
    CropSettings,
    crop_video,
    finished,
)
from emoclip_sdk.training.data.crop_pool import crop_videos

from .test_crop import WHOLE, two_people


class Deadly(type(Path())):  # type: ignore[misc]
    """A video on which the process that opens it dies, with half a clip on disk."""

    def __fspath__(self) -> str:
        (Path(str(self.parent)) / "o" / ".b.partial" / "0").mkdir(parents=True, exist_ok=True)
        os._exit(11)


def test_ready_when_its_process_died(tmp_path: Path) -> None:
    """Its clip is on disk and its result was lost: it is not cropped again and called failed."""
    job = CropJob(write_video(tmp_path / "a.mp4", two_people(6), 10), tmp_path / "o" / "a")
    crop_video(job, WHOLE)
    results: list[CropResult] = []
    crop_videos([job], WHOLE, workers=1, done=results.append)
    assert [(r.status, r.frames) for r in results] == [("done", 6)]


def test_bad_videos_do_not_stop_the_rest(tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    jobs = [CropJob(tmp_path / f"{name}.mp4", tmp_path / "o" / name) for name in names]
    for job in jobs:
        write_video(job.video, two_people(6), 10)
    jobs[1] = CropJob(Deadly(jobs[1].video), jobs[1].out)
    jobs[2].video.write_bytes(b"no video")
    results = {}
    crop_videos(
        jobs, WHOLE, workers=2, done=lambda r: results.__setitem__(r.out.name, (r.status, r.why))
    )
    assert {name: status for name, (status, _) in results.items()} == {
        "a": "done",
        "d": "done",
        "b": "failed",
        "c": "failed",
    }
    assert "process that read it died" in results["b"][1] and "not a video" in results["c"][1]
    assert sorted(os.listdir(tmp_path / "o")) == ["a", "d"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_ctrl_c_leaves_no_half_clip_and_the_rest_is_done_later(tmp_path: Path) -> None:
    jobs = [CropJob(tmp_path / f"{name}.mp4", tmp_path / "o" / name) for name in "ab"]
    for job, n in zip(jobs, (6, 3000), strict=True):
        write_video(job.video, np.zeros((n, 64, 64, 3), np.uint8), 10)
    script = (
        "from pathlib import Path\n"
        "from emoclip_sdk.training.data.crop_pool import *\n"
        "from emoclip_sdk.training.data.crop import *\n"
        "from emoclip_sdk.config import FaceConfig\n"
        "settings = CropSettings(64, faces=FaceConfig(detector='none'))\n"
        f"jobs, _ = find_videos(Path({str(tmp_path)!r}), Path({str(tmp_path / 'o')!r}))\n"
        "crop_videos(jobs, settings, workers=2, done=print)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        jobs[0].out.is_dir() and list(tmp_path.glob("o/.b.partial/0/*"))
    ):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt")
    assert os.listdir(tmp_path / "o") == ["a"]
    settings = CropSettings(64, faces=FaceConfig(detector="none"))
    left = [job for job in jobs if finished(job) is None]
    results = []
    crop_videos(left, settings, workers=2, done=results.append)
    assert [(r.out.name, r.status, r.frames) for r in results] == [("b", "done", 3000)]
    assert sorted(os.listdir(tmp_path / "o")) == ["a", "b"]
