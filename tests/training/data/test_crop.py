"""Cropping: what is written, what goes on, what a bad video does to the others."""

from __future__ import annotations

import csv
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
from emoclip_sdk.errors import DatasetError, VideoError
from emoclip_sdk.faces import Detection
from emoclip_sdk.training.data import crop_pool
from emoclip_sdk.training.data.crop import (
    CropJob,
    CropResult,
    CropSettings,
    crop_video,
    find_videos,
    finished,
    prepare_folder,
)
from emoclip_sdk.training.data.crop_pool import crop_videos
from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.video import open_video

WHOLE = CropSettings(size=32, faces=FaceConfig(detector="none"))


class LeftAndRight:
    """Finds a small bright face on the left and a large dark one on the right, if it is there."""

    def detect(self, frames):
        found = []
        for frame in frames:
            faces = [Detection((4.0, 10.0, 24.0, 30.0), 0.99)]
            if frame[32, 96].max() < 100:
                faces.append(Detection((72.0, 8.0, 120.0, 56.0), 0.99))
            found.append(faces)
        return found


def _two_people(n: int) -> np.ndarray:
    frames = np.full((n, 64, 128, 3), 220, np.uint8)
    frames[: n - 4, 8:56, 72:120] = 40  # leaves four frames before the end
    return frames


def test_most_prominent_face(tmp_path: Path) -> None:
    job = CropJob(write_video(tmp_path / "v" / "a.mp4", _two_people(12), 10), tmp_path / "o" / "a")
    settings = CropSettings(size=32, faces=FaceConfig(detect_every=1, margin=0.0))
    assert finished(job) is None
    result = crop_video(job, settings, LeftAndRight())
    assert (result.status, result.frames) == ("done", 8)
    frames = [f"{i:05d}.png" for i in range(8)]
    assert sorted(p.name for p in job.out.iterdir()) == [*frames, "crop.json"]
    first = next(open_video(job.out).frames()).rgb
    assert first.shape == (32, 32, 3) and first.mean() < 80  # the large dark one
    assert finished(job) == result
    assert os.listdir(job.out.parent) == ["a"]


def test_rate(tmp_path: Path) -> None:
    job = CropJob(write_video(tmp_path / "a.mp4", _two_people(20), 10), tmp_path / "o")
    assert crop_video(job, CropSettings(32, 5.0, WHOLE.faces)).frames == 10
    assert open_video(job.out).duration == 2.0


def test_crops_keep_the_time_of_the_video(tmp_path: Path) -> None:
    frames = np.repeat(np.arange(0, 240, 4, dtype=np.uint8), 32 * 32 * 3).reshape(60, 32, 32, 3)
    for fps in (10, 50):
        video = write_video(tmp_path / f"{fps}.mp4", frames, fps)
        crop_video(CropJob(video, tmp_path / "o" / str(fps)), WHOLE)
        crops = open_video(tmp_path / "o" / str(fps))
        ours = [frame.index for frame in crops.sample(7.0)]
        assert ours == [frame.index for frame in open_video(video).sample(7.0)]
        assert crops.duration == pytest.approx(60 / fps, rel=1e-3)
    assert open_video(tmp_path / "o" / "10", fps=30).duration == 2.0  # what is asked for goes first
    prepare_folder(tmp_path / "o", WHOLE)
    assert not open_clips("folder", tmp_path / "o").problems
    (tmp_path / "o" / "10" / "crop.json").write_text("{}")
    with pytest.raises(VideoError, match=r"crop\.json.*frames per second.*delete it"):
        open_video(tmp_path / "o" / "10")


def test_nobody_there_and_stopped(tmp_path: Path) -> None:
    class Nobody:
        def detect(self, frames):
            return [[] for _ in frames]

    job = CropJob(write_video(tmp_path / "a.mp4", _two_people(6), 10), tmp_path / "o" / "a")
    assert crop_video(job, CropSettings(32), Nobody()).status == "no face"
    steps = iter([False, False, True])
    assert crop_video(job, WHOLE, stop=lambda: next(steps)) is None
    assert os.listdir(tmp_path / "o") == []  # not half a clip


def test_which_videos(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.MOV", "sub/a.mp4", ".hidden.mp4", "notes.txt", "out/b.mp4", "none/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    out = tmp_path / "out"
    jobs, refused = find_videos(tmp_path, out)
    assert [job.out for job in jobs] == [out / "a", out / "sub" / "a"]
    assert [r.video.name for r in refused] == ["a.mp4"] and "a.MOV has the same" in refused[0].why
    with pytest.raises(DatasetError, match="holds no video"):
        find_videos(tmp_path / "none", out)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "o", WHOLE)
    prepare_folder(tmp_path / "o", WHOLE)
    with pytest.raises(DatasetError, match="made with other settings"):
        prepare_folder(tmp_path / "o", CropSettings(64))


class Deadly(type(Path())):  # type: ignore[misc]
    """A video on which the process that opens it dies."""

    def __fspath__(self) -> str:
        os._exit(11)


def test_ready_when_another_process_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clip is on disk and its result was lost: it is not tried again and called failed."""
    job = CropJob(write_video(tmp_path / "a.mp4", _two_people(6), 10), tmp_path / "o" / "a")

    def breaks(jobs, settings, workers, done):
        crop_video(job, settings)
        return [], [job]

    monkeypatch.setattr(crop_pool, "_run", breaks)
    results: list[CropResult] = []
    crop_videos([job], WHOLE, workers=2, done=results.append)
    assert [(r.status, r.frames) for r in results] == [("done", 6)]


def test_bad_videos_do_not_stop_the_rest(tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    jobs = [CropJob(tmp_path / f"{name}.mp4", tmp_path / "o" / name) for name in names]
    for job in jobs:
        write_video(job.video, _two_people(6), 10)
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


def test_command_on_a_real_face(shared: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("facenet_pytorch")
    from emoclip_sdk.training.cli import main

    frames = []
    for frame in open_video(shared / "media" / "pyfeat" / "single_face.mp4").frames():
        frames.append(frame.rgb)
        if len(frames) == 6:
            break
    write_video(tmp_path / "videos" / "joy" / "a.mp4", np.stack(frames), 10)
    (tmp_path / "videos" / "b.mp4").write_bytes(b"no video")
    out = tmp_path / "crops"

    def crop() -> tuple[int, str]:
        arguments = ["crop", str(tmp_path / "videos"), str(out), "--workers", "1", "--size", "96"]
        monkeypatch.setattr(sys, "argv", ["emoclip-train", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, capsys.readouterr().out

    code, text = crop()
    assert code == 1 and "1 done, 0 without a face, 1 failed" in text and "b.mp4: failed" in text
    rows = {row["clip"]: row for row in csv.DictReader((out / "crop-report.csv").open())}
    assert (rows["joy/a"]["status"], rows["joy/a"]["frames"]) == ("done", "6")
    assert rows["b"]["status"] == "failed" and "not a video" in rows["b"]["why"]
    dataset = open_clips("folder", out)
    assert dataset.cropped and dataset.splits["test"][0].id == "joy/a"
    assert next(open_video(dataset.splits["test"][0].video).frames()).rgb.shape == (96, 96, 3)
    made = (out / "joy" / "a" / "00000.png").stat().st_mtime_ns
    (tmp_path / "videos" / "b.mp4").unlink()
    assert crop()[0] == 0  # goes on, without doing it again
    assert (out / "joy" / "a" / "00000.png").stat().st_mtime_ns == made
