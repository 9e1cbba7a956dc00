"""Scores while it happens: order, bounded delay, dropped frames, and clear ends."""

from __future__ import annotations

import itertools
import json
import threading
import time

import numpy as np
import pytest

from emoclip_sdk import EmoCLIPError, VideoError
from emoclip_sdk.video import LiveFrames, open_live, open_video
from emoclip_sdk.video.live import CAPACITY

LABELS = ["happiness", "anger"]


class InStep:
    """Pairs of time and frame at 10 per second that wait for the model: none is dropped."""

    def __init__(self, model, frames):
        self.taken = 0
        encode = model.reader.encode
        self.frames = iter(frames)
        self.given = 0

        def counting(crops, shapes):
            self.taken += len(crops)
            return encode(crops, shapes)

        model.reader.encode = counting

    def __iter__(self):
        return self

    def __next__(self):
        # One frame is held back until the next one comes.
        while self.given - self.taken > CAPACITY:
            time.sleep(0.01)
        frame = next(self.frames)
        self.given += 1
        return (100 + self.given / 7, frame)


def test_rows_are_those_of_the_timeline(tiny_model, stripes):
    frames = stripes(15)
    expected = list(
        tiny_model.timeline_rows(frames, LABELS, window=1, step=0.5, faces="none", fps=7)
    )
    stream = InStep(tiny_model, frames)
    found = list(tiny_model.stream(stream, LABELS, window=1, step=0.5, faces="none"))
    assert [r.start for r in found] == [0.0, 0.5, 1.0, 1.5]
    rows = [row for result in found for row in result.rows]
    assert [row.n_frames for row in rows] == [row.n_frames for row in expected]
    for row, other in zip(rows, expected, strict=True):
        assert row.scores == pytest.approx(other.scores)
    assert all(r.dropped == 0 and r.delay >= 0 and r.source == "frames" for r in found)
    assert found[0].fps == pytest.approx(7)
    json.dumps(found[0].to_dict(), allow_nan=False)


def test_tracks_and_nobody(detecting_model, two_faces):
    now = ((i / 10, frame) for i, frame in enumerate(two_faces[18:45]))
    found = list(detecting_model.stream(now, LABELS, window=0.5, step=0.5))
    assert len(found[0].rows) == 2 and found[0].face_found
    assert [row.track for row in found[-1].rows] == [None] and not found[-1].face_found


def test_only_the_latest_frames_wait(stripes):
    source = open_live((i / 25, frame) for i, frame in enumerate(stripes(12)))
    frames = LiveFrames(source, 25)  # every one is sampled
    taken = iter(frames)
    first = next(taken)
    assert first.index == 0
    while not frames._ended:
        time.sleep(0.01)
    rest = list(taken)
    assert [frame.index for frame in rest] == list(range(12 - CAPACITY, 12))
    assert frames.dropped == 12 - 1 - CAPACITY
    n, behind = frames.since(0, 1)
    assert n == CAPACITY + 1 and behind >= 0


def test_what_is_recorded_waits_for_the_model(stripes):
    frames = LiveFrames(open_video(stripes(12), fps=25), 25)
    numbers = []
    for frame in frames:
        time.sleep(0.1 if len(numbers) < 3 else 0)  # slower than it plays
        numbers.append(frame.index)
    assert numbers == list(range(12)) and frames.dropped == 0


def test_a_file_plays_in_real_time(crop_video):
    begun = time.monotonic()
    frames = list(LiveFrames(open_live(crop_video), 7, capacity=99))
    assert len(frames) == 14 and time.monotonic() - begun > 1.8


def test_leaving_stops_the_reader(tiny_model, stripes):
    def forever():
        for i in itertools.count():
            yield (i / 7, stripes(1)[0])

    results = tiny_model.stream(forever(), LABELS, window=0.3, step=0.3, faces="none")
    next(results)
    results.close()
    limit = time.monotonic() + 5
    while any(t.name == "live" for t in threading.enumerate()):
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_what_goes_wrong_is_said(tiny_model, stripes, tmp_path):
    with pytest.raises(VideoError, match="camera 97: can't be opened"):
        next(tiny_model.stream(97))
    with pytest.raises(VideoError, match="no such file"):
        tiny_model.stream(tmp_path / "missing.mp4")
    with pytest.raises(EmoCLIPError, match="must be positive"):
        tiny_model.stream(0, window=0)
    with pytest.raises(VideoError, match=r"frames\[1\]"):
        list(tiny_model.stream(iter([stripes(1)[0], np.zeros((4, 4, 3))]), faces="none"))
    with pytest.raises(VideoError, match="frame 1: its time is before"):
        list(tiny_model.stream(iter([(1.0, stripes(1)[0]), (0.5, stripes(1)[0])]), faces="none"))

    def broken():
        yield stripes(1)[0]
        raise ZeroDivisionError("the caller's own")

    with pytest.raises(ZeroDivisionError):
        list(tiny_model.stream(broken(), faces="none"))


def test_camera(crop_video, monkeypatch):
    import cv2

    from emoclip_sdk.video.live import CameraSource

    plugged = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: plugged(str(crop_video)))
    found = list(CameraSource(0).decode())
    assert len(found) == 50 and found[0].time == 0 < found[-1].time
    rgb, expected = found[0].to_rgb(), next(open_video(crop_video).frames()).rgb
    assert np.abs(rgb.astype(int) - expected).mean() < 8
    assert np.abs(rgb[..., ::-1].astype(int) - expected).mean() > 20
