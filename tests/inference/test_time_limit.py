"""A video whose reading takes too long is given up; the time of whoever waits does not count."""

from __future__ import annotations

import time

import pytest

from emoclip_sdk import VideoError, VideoSource
from emoclip_sdk.inference.time_limit import LimitedSource
from emoclip_sdk.video.source import RawFrame

LABELS = ["joy", "anger"]


class Slow(VideoSource):
    """Frames of which each takes a while."""

    name = "slow"

    def __init__(self, frames, seconds):
        self.frames_, self.seconds, self.read = frames, seconds, 0

    def decode(self, needed=None):
        for i, rgb in enumerate(self.frames_):
            time.sleep(self.seconds)
            self.read += 1
            yield RawFrame(i, i / 7, 1 / 7, lambda rgb=rgb: rgb)


@pytest.mark.parametrize("sampling", ["deterministic", "uniform"])
def test_too_slow(tiny_model, stripes, sampling):
    options = dict(faces="none", sampling=sampling, timeout=0.1)
    video = Slow(stripes(60), 0.02)
    with pytest.raises(VideoError, match=r"slow: reading it took longer than 0\.1 s"):
        tiny_model.classify(video, LABELS, **options)
    assert video.read < 60
    one, other = tiny_model.classify([video, stripes(3)], LABELS, **(options | dict(timeout=5.0)))
    assert one.status == other.status == "ok"
    failed, _ = tiny_model.classify([video, stripes(3)], LABELS, **options)
    assert failed.error == "reading it took longer than 0.1 s"


def test_enough_time_changes_nothing(tiny_model, crop_video):
    for sampling in ("deterministic", "uniform", "paper"):
        options = dict(faces="none", sampling=sampling)
        limited = tiny_model.classify(crop_video, LABELS, timeout=60, **options)
        assert limited == tiny_model.classify(crop_video, LABELS, **options)


def test_who_waits_is_not_counted(stripes):
    source = LimitedSource(Slow(stripes(5), 0.0), 0.05)
    times = []
    for frame in source.timed(source.frames()):
        time.sleep(0.03)
        times.append(frame.time)
    assert len(times) == 5
