"""Cropping: what is written, what goes on, what a bad video does to the others."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from builders import write_video

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.errors import DatasetError, VideoError
from emoclip_sdk.faces import Detection
from emoclip_sdk.training.data.crop import (
    CropJob,
    CropSettings,
    crop_video,
    find_videos,
    finished,
    prepare_folder,
)
from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.video import open_video

WHOLE = CropSettings(size=32, faces=FaceConfig(detector="none"))


class LeftAndRight:
    """Finds a small bright face on the left and a large dark one on the right, if it is there."""

    def detect(self, frames):
        result = []
        for frame in frames:
            faces = [Detection((4.0, 10.0, 24.0, 30.0), 0.99)]
            if frame[32, 96].max() < 100:
                faces.append(Detection((72.0, 8.0, 120.0, 56.0), 0.99))
            result.append(faces)
        return result


def two_people(n: int) -> np.ndarray:
    frames = np.full((n, 64, 128, 3), 220, np.uint8)
    frames[: n - 4, 8:56, 72:120] = 40  # leaves four frames before the end
    return frames


def test_most_prominent_face(tmp_path: Path) -> None:
    job = CropJob(write_video(tmp_path / "v" / "a.mp4", two_people(12), 10), tmp_path / "o" / "a")
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
    job = CropJob(write_video(tmp_path / "a.mp4", two_people(20), 10), tmp_path / "o")
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


def test_nobody_there(tmp_path: Path) -> None:
    class Nobody:
        def detect(self, frames):
            return [[] for _ in frames]

    job = CropJob(write_video(tmp_path / "a.mp4", two_people(6), 10), tmp_path / "o" / "a")
    assert crop_video(job, CropSettings(32), Nobody()).status == "no face"


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
