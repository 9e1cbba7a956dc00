"""Damaged and lying files: a result or one of our errors, in bounded time and memory."""

from __future__ import annotations

import json
import os
import random
import sys

import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video
from emoclip_sdk.video.clock import MAX_FRAME_DURATION

from .claims import claims
from .codec_clips import Clip, encode, whole_clips
from .limited_reading import open_all_calls, open_models, read_all
from .mutations import damaged, flat_picture, oddities, png_claim, y4m_frames
from .structures import mutated, mutated_config, mutated_prompts

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by /proc")


@linux
@pytest.mark.slow
@pytest.mark.parametrize("n", [8, 80])
def test_damaged_files(tiny_checkpoint, tmp_path, n) -> None:
    files = [*oddities(), *damaged(n)]
    report = read_all(files, tiny_checkpoint, tmp_path)
    assert not report.wrong and len(report.outcomes) == len(files)
    assert report.kinds["result"] > n // 2 and report.kinds["VideoError"] > n // 2


@linux
@pytest.mark.slow
def test_files_that_claim_to_be_large(tiny_checkpoint, tmp_path) -> None:
    files = list(claims())
    report = read_all(files, tiny_checkpoint, tmp_path)
    assert not report.wrong and len(report.outcomes) == len(files)


@linux
@pytest.mark.slow
def test_changed_structures_in_every_call(tiny_checkpoint, tmp_path) -> None:
    report = read_all(mutated(108), tiny_checkpoint, tmp_path, checks=open_all_calls)
    assert not report.wrong and len(report.outcomes) == 108


@linux
@pytest.mark.slow
def test_changed_models_and_prompts(tiny_checkpoint, tmp_path) -> None:
    config, rng = json.loads((tiny_checkpoint / "config.json").read_text()), random.Random(1)
    files = [Clip("c", "json", json.dumps(mutated_config(config, rng)).encode()) for _ in range(60)]
    files += [Clip("p", "yaml", mutated_prompts(rng)) for _ in range(60)]
    report = read_all(files, tiny_checkpoint, tmp_path, checks=open_models)
    assert not report.wrong and len(report.outcomes) == 120


@linux
def test_making_clips_leaves_our_priority_alone() -> None:
    whole_clips()
    assert {os.sched_getscheduler(int(t)) for t in os.listdir("/proc/self/task")} == {0}


@pytest.mark.parametrize("clip", whole_clips(), ids=lambda clip: clip.name)
def test_every_codec_and_container_is_read(clip) -> None:
    assert len(list(open_video(clip.data).frames())) == 12


@pytest.mark.parametrize("way", [1, -1])
def test_a_broken_time_stamp_costs_no_time(way) -> None:
    ticks = [0, 4, 8, 12, 2**40, 2**40 + 4]
    if way < 0:
        ticks = [tick - 2**40 for tick in ticks]
    video = open_video(encode("mkv", "ffv1", "yuv420p", n=6, ticks=ticks))
    times = [frame.time for frame in video.frames()]
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2], abs=0.01)
    assert video.duration is not None and video.duration < 1


def test_a_still_of_minutes_keeps_its_time() -> None:
    minutes = 50 * 60 * 100
    assert minutes / 100 < MAX_FRAME_DURATION
    video = open_video(encode("mkv", "ffv1", "yuv420p", n=3, ticks=[0, 4, minutes]))
    assert [frame.time for frame in video.frames()][-1] == pytest.approx(3000)


def test_a_frame_rate_of_years() -> None:
    data = b"YUV4MPEG2 W16 H16 F1:100000000 C420\n" + y4m_frames(9)
    assert [f.time for f in open_video(data).frames()][-1] < 1


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_pictures_that_are_too_large(kind) -> None:
    data = png_claim(9000, 9000) if kind == "PNG" else flat_picture("BMP", 9000, 9000)[:1000]
    with pytest.raises(VideoError, match="too large"):
        open_video(data)


def test_a_large_photo_is_read_smaller() -> None:
    frame = next(open_video(flat_picture("JPEG", 9000, 9000)).frames())
    assert frame.rgb.shape == (4500, 4500, 3)


def test_video_that_is_too_large() -> None:
    data = b"YUV4MPEG2 W9000 H9000 F25:1 C420\nFRAME\n" + bytes(1000)
    with pytest.raises(VideoError):
        list(open_video(data).frames())
