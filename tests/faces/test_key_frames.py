"""Detection on key frames and what happens between them, with a detector that follows a script."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import (
    Box,
    Detection,
    FrameFaces,
    face_frames,
)
from emoclip_sdk.video import Frame

from .scripted import RATE, SIZE, People, Script, Scripted, draw, run, tracks

faces_module = importlib.import_module("emoclip_sdk.faces.key_frames")


def test_key_frames_and_the_last_one_are_detected_the_rest_interpolated() -> None:
    def script(i: int) -> People:
        return {"ann": (60 + 3 * i, 50 + 2 * i, 40 + i)}

    result, detector = run(script, 11)
    assert detector.asked == [[0, 4, 8, 10]]
    assert [frame.index for frame in result] == list(range(11))
    assert [frame.time for frame in result] == pytest.approx([i / RATE for i in range(11)])
    for i, frame in enumerate(result):
        (face,) = frame.faces
        x, y, side = script(i)["ann"]
        assert face.detected == (i in (0, 4, 8, 10))
        assert face.box == pytest.approx(
            (x - side / 2, y - side / 2, x + side / 2, y + side / 2), abs=1e-6
        )
        assert face.confidence == pytest.approx(0.99)
        assert face.crop.shape == (32, 32, 3)
        assert frame.size == (SIZE[1], SIZE[0])


def test_interpolation_goes_by_time_not_by_number() -> None:
    times = [0.0, 0.1, 0.9, 1.0, 1.2]
    place = {t: 60 + 20 * t for t in times}
    frames = [Frame(i, t, draw(i, {"ann": (place[t], 60, 40)}).rgb) for i, t in enumerate(times)]
    detector = Scripted(lambda i: {"ann": (place[times[i]], 60, 40)})
    config = FaceConfig(detect_every=4)
    for frame in face_frames(frames, config, size=8, detector=detector):
        assert frame.faces[0].box[0] == pytest.approx(place[frame.time] - 20)


def test_a_fast_face_is_not_interpolated() -> None:
    def script(i: int) -> People:  # jumps half-way
        return {"ann": (50 if i < 6 else 80, 60, 40)}

    result, detector = run(script, 9)
    assert [5, 6, 7] in detector.asked
    assert [frame.faces[0].box[0] for frame in result] == [30] * 6 + [60] * 3
    assert set(tracks(result)) == {"0"}


def test_many_frames_between_two_key_frames_are_halved() -> None:
    """Where somebody leaves, a few frames are detected, and not all of them."""

    def script(i: int) -> People:
        return {"ann": (60, 60, 40)} if i < 20 else {}

    result, detector = run(script, 60, every=59, scene=lambda i: "")
    assert tracks(result) == ["0" if i < 20 else "" for i in range(60)]
    assert [frame.index for frame in result] == list(range(60))
    assert sum(map(len, detector.asked)) < 20


def test_a_new_shot_among_many_frames_begins_at_its_frame() -> None:
    def script(i: int) -> People:
        return {"ann": (60, 60, 40)} if i < 20 else {"bob": (180, 100, 50)}

    result, detector = run(script, 60, every=59, scene=lambda i: "" if i < 20 else "other")
    assert tracks(result) == ["0" if i < 20 else "1" for i in range(60)]
    assert sum(map(len, detector.asked)) < 20


class Following(Scripted):
    """A scripted detector that can follow: within a face's side of where it is."""

    def __init__(self, script: Script, confidence: float = 0.99) -> None:
        super().__init__(script, confidence)
        self.followed: list[int] = []

    def follow(self, frames: list[np.ndarray], seeds: list[Box]) -> list[Detection]:
        self.followed += [int(rgb[0, 0, 0]) for rgb in frames]
        detections = []
        for rgb, seed in zip(frames, seeds, strict=True):
            near = [
                (x - s / 2, y - s / 2, x + s / 2, y + s / 2)
                for x, y, s in self.script(int(rgb[0, 0, 0])).values()
                if abs((seed[0] + seed[2]) / 2 - x) < s
            ]
            detections.append(Detection(near[0], 0.98) if near else Detection(seed, 0.1))
        return detections


def follow(script: Script, n: int) -> tuple[list[FrameFaces], Following]:
    detector = Following(script)
    frames = (draw(i, script(i)) for i in range(n))
    return list(
        face_frames(frames, FaceConfig(detect_every=4), size=32, detector=detector)
    ), detector


def test_a_detector_that_can_follow_sees_every_frame() -> None:
    def script(i: int) -> People:  # moves on, and to and fro between the key frames
        return {"ann": (40 + 9 * i + (15 if i % 4 == 2 else 0), 60, 40), "bob": (200, 100, 40)}

    result, detector = follow(script, 13)
    assert detector.asked == [[0, 4, 8, 12]], "too far from key frame to key frame for lines"
    assert sorted(set(detector.followed)) == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    for i, frame in enumerate(result):
        assert [face.box[0] for face in frame.faces] == [script(i)["ann"][0] - 20, 180]
        assert all(face.detected for face in frame.faces)


def test_a_face_that_is_lost_between_key_frames_is_looked_for() -> None:
    def script(i: int) -> People:
        return {} if i in (5, 6) else {"ann": (60, 60, 40)}

    result, detector = follow(script, 13)
    assert [5, 6, 7] in detector.asked
    assert tracks(result) == ["" if i in (5, 6) else "0" for i in range(13)]


@pytest.mark.parametrize("every", [1, 2, 3, 4, 7, 50])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 9])
def test_every_frame_comes_out_once_in_order(n, every) -> None:
    result, detector = run(lambda i: {"ann": (60, 60, 40)}, n, every=every)
    assert [frame.index for frame in result] == list(range(n))
    assert tracks(result) == ["0"] * n
    assert detector.asked[-1][-1] == n - 1


@pytest.mark.parametrize(("limit", "ahead"), [(10**9, 34), (8 * SIZE[0] * SIZE[1] * 3, 10)])
def test_memory_is_constant(limit, ahead, monkeypatch) -> None:
    monkeypatch.setattr(faces_module, "LOOK_AHEAD_BYTES", limit)
    read = []

    def frames():
        for i in range(200):
            read.append(i)
            yield draw(i, {"ann": (60, 60, 40)})

    detector = Scripted(lambda i: {"ann": (60, 60, 40)})
    waits = [
        len(read) - frame.index
        for frame in face_frames(frames(), FaceConfig(detect_every=4), size=8, detector=detector)
    ]
    assert len(waits) == 200 and ahead - 4 <= max(waits) <= ahead


def test_key_frames_are_not_too_far_apart_in_time() -> None:
    frames = [Frame(i, 0.5 * i, draw(i, {"ann": (60, 60, 40)}).rgb) for i in range(9)]
    detector = Scripted(lambda i: {"ann": (60, 60, 40)})
    list(face_frames(frames, FaceConfig(detect_every=8), size=8, detector=detector))
    assert detector.asked == [[0, 3, 6, 8]]  # 1.5 s: the first frame after 1.2 s


def test_few_large_frames_wait_for_a_key_frame(monkeypatch) -> None:
    monkeypatch.setattr(faces_module, "LOOK_AHEAD_BYTES", 2 * SIZE[0] * SIZE[1] * 3)
    _, detector = run(lambda i: {"ann": (60, 60, 40)}, 6, every=4)
    assert detector.asked == [[0], [2], [4], [5]]


def test_at_once_few_frames_wait_for_a_key_frame() -> None:
    frames = [draw(i, {"ann": (60, 60, 40)}) for i in range(9)]
    detector = Scripted(lambda i: {"ann": (60, 60, 40)})
    config = FaceConfig(detect_every=8)
    list(face_frames(frames, config, size=8, detector=detector, at_once=True))
    assert detector.asked == [[0], [4], [8]]


@pytest.mark.parametrize("first", range(2, 12))
def test_gaps_begin_and_end_at_the_right_frame(first) -> None:
    last = first + 6

    def script(i: int) -> People:
        return {} if first <= i < last else {"ann": (60, 60, 40)}

    result, _ = run(script, 24)
    assert tracks(result) == ["" if first <= i < last else "0" for i in range(24)]


def test_a_single_missed_frame_is_filled() -> None:
    def script(i: int) -> People:
        return {} if i in (4, 11) else {"ann": (60 + 2 * i, 60, 40)}

    result, _ = run(script, 16)
    assert tracks(result) == ["0"] * 16
    assert not result[4].faces[0].detected
    assert result[4].faces[0].box[0] == pytest.approx(60 + 8 - 20)


def test_nothing_is_interpolated_over_a_cut() -> None:
    result, detector = run(
        lambda i: {"ann": (100, 80, 50)}, 9, scene=lambda i: "a" if i < 6 else "b"
    )
    assert [5, 6, 7] in detector.asked
    assert all(frame.faces[0].detected for frame in result[4:])
