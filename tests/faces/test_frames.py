"""Tracking with a detector that follows a script, on drawn people."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import (
    Box,
    Detection,
    Face,
    FrameFaces,
    TrackTable,
    face_frames,
    most_prominent,
)
from emoclip_sdk.video import Frame

faces_module = importlib.import_module("emoclip_sdk.faces.key_frames")

RATE = 7.0
SIZE = (160, 240)  # height, width
People = dict[str, tuple[float, float, float]]  # name: center x, center y, side
Script = Callable[[int], People]


def looks(name: str) -> np.ndarray:
    """A person's face, and what is about it: blurred noise of its own."""
    rng = np.random.default_rng(sum(map(ord, name)))
    coarse = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC))


def draw(i: int, people: People, scene: str = "") -> Frame:
    rgb = np.full((*SIZE, 3), 90, np.uint8)
    if scene != "flat":
        rgb = np.array(Image.fromarray(looks("background" + scene)).resize(SIZE[::-1]))
    for name, (x, y, side) in people.items():
        half = round(side * 0.9)
        face = Image.fromarray(looks(name)).resize((2 * half, 2 * half))
        canvas = Image.fromarray(rgb)
        canvas.paste(face, (round(x) - half, round(y) - half))
        rgb = np.array(canvas)
    rgb[0, 0] = i  # what the scripted detector goes by
    return Frame(i, i / RATE, rgb)


class Scripted:
    """A detector that knows the script, and remembers what it was asked."""

    def __init__(self, script: Script, confidence: float = 0.99) -> None:
        self.script = script
        self.confidence = confidence
        self.asked: list[list[int]] = []

    def detect(self, frames: list[np.ndarray]) -> list[list[Detection]]:
        numbers = [int(rgb[0, 0, 0]) for rgb in frames]
        self.asked.append(numbers)
        found = []
        for i in numbers:
            boxes = [
                (x - s / 2, y - s / 2, x + s / 2, y + s / 2) for x, y, s in self.script(i).values()
            ]
            found.append([Detection(box, self.confidence) for box in boxes])
        return found


def run(
    script: Script,
    n: int,
    *,
    every: int = 4,
    scene: Callable[[int], str] = lambda i: "",
    drawn: Script | None = None,
) -> tuple[list[FrameFaces], Scripted]:
    """`script` is what is detected, `drawn` what is really there."""
    detector = Scripted(script)
    frames = (draw(i, (drawn or script)(i), scene(i)) for i in range(n))
    config = FaceConfig(detect_every=every, margin=0.0)
    return list(face_frames(frames, config, size=32, detector=detector)), detector


def tracks(result: list[FrameFaces]) -> list[str]:
    return ["".join(str(f.track) for f in frame.faces) for frame in result]


def owner(face: Face, people: People) -> str:
    """Whose face a crop shows, by its center."""
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return min(people, key=lambda name: np.hypot(people[name][0] - x, people[name][1] - y))


# --- detection and interpolation ------------------------------------------------------------------


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


class Following(Scripted):
    """A scripted detector that can follow: within a face's side of where it is."""

    def __init__(self, script: Script, confidence: float = 0.99) -> None:
        super().__init__(script, confidence)
        self.followed: list[int] = []

    def follow(self, frames: list[np.ndarray], seeds: list[Box]) -> list[Detection]:
        self.followed += [int(rgb[0, 0, 0]) for rgb in frames]
        found = []
        for rgb, seed in zip(frames, seeds, strict=True):
            near = [
                (x - s / 2, y - s / 2, x + s / 2, y + s / 2)
                for x, y, s in self.script(int(rgb[0, 0, 0])).values()
                if abs((seed[0] + seed[2]) / 2 - x) < s
            ]
            found.append(Detection(near[0], 0.98) if near else Detection(seed, 0.1))
        return found


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


def test_no_frames_no_faces() -> None:
    assert run(lambda i: {}, 0)[0] == []
    result, detector = run(lambda i: {}, 9)
    assert tracks(result) == [""] * 9
    assert detector.asked == [[0, 4, 8]], "nothing to refine"


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


def test_weak_and_broken_detections_are_dropped() -> None:
    class Poor:
        def detect(self, frames):
            return [
                [
                    Detection((10, 10, 50, 50), 0.89),
                    Detection((10, 10, float("nan"), 50), 0.99),
                    Detection((50, 50, 50, 50), 0.99),
                    Detection((100, 50, 140, 90), 0.90),
                ]
                for _ in frames
            ]

    frames = [draw(i, {"ann": (120, 70, 40)}) for i in range(5)]
    result = list(face_frames(frames, FaceConfig(detect_every=4), size=8, detector=Poor()))
    assert tracks(result) == ["0"] * 5
    assert result[0].faces[0].box == (100, 50, 140, 90)


# --- gaps -----------------------------------------------------------------------------------------


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


def test_a_face_keeps_its_number_over_a_short_gap_and_not_over_a_long_one() -> None:
    def script(i: int) -> People:
        return {"ann": (60, 60, 40)} if i < 8 or 16 <= i < 24 or i >= 48 else {}

    result, _ = run(script, 56)
    assert tracks(result)[7] == "0"
    assert tracks(result)[16] == "0", "1.3 s later"
    assert tracks(result)[50] == "1", "3.6 s later"


def test_an_isolated_detection_is_an_error_of_the_detector() -> None:
    for at in (0, 4, 8, 12):
        result, _ = run(
            lambda i, at=at: {"ghost": (60, 60, 40)} if i == at else {}, 13, drawn=lambda i: {}
        )
        assert tracks(result) == [""] * 13


def test_ghosts_take_no_numbers_and_disturb_nobody() -> None:
    def script(i: int) -> People:
        people: People = {"ghost": (200, 120, 30)} if i == 0 else {}
        return people | {"ann": (60, 60, 40)}

    result, _ = run(script, 9, drawn=lambda i: {"ann": (60, 60, 40)})
    assert tracks(result) == ["0"] * 9


def test_a_single_picture_keeps_its_faces() -> None:
    result, _ = run(lambda i: {"ann": (60, 60, 40), "bob": (160, 60, 50)}, 1)
    assert tracks(result) == ["01"]


def test_shots_of_one_frame_keep_their_faces() -> None:
    result, _ = run(
        lambda i: {f"person {i}": (40 + 40 * (i % 4), 60, 40)}, 8, scene=lambda i: f"place {i}"
    )
    assert tracks(result) == [str(i) for i in range(8)]


# --- several people -------------------------------------------------------------------------------


def test_numbers_go_by_appearance_then_by_prominence() -> None:
    def script(i: int) -> People:
        people: People = {"small": (40, 60, 30), "big": (110, 60, 60)}
        if i >= 5:
            people = {"late": (200, 60, 70)} | people
        return people

    result, _ = run(script, 16)
    assert tracks(result)[0] == "01"
    assert tracks(result)[4:6] == ["01", "012"]
    for frame in result:
        by_name = {owner(f, script(frame.index)): f.track for f in frame.faces}
        assert by_name.items() <= {"big": 0, "small": 1, "late": 2}.items()


@pytest.mark.parametrize("hidden", [False, True])
def test_numbers_survive_a_crossing(hidden) -> None:
    def drawn(i: int) -> People:
        return {"ann": (40 + 5 * i, 60, 40), "bob": (200 - 5 * i, 70, 40)}

    def script(i: int) -> People:
        people = drawn(i)
        if hidden and abs(people["ann"][0] - people["bob"][0]) < 25:
            del people["ann"]  # drawn first, so bob is in front
        return people

    result, _ = run(script, 32, drawn=drawn)
    names = {
        (f.track, owner(f, script(frame.index)))
        for frame in result
        if abs(drawn(frame.index)["ann"][0] - drawn(frame.index)["bob"][0]) > 30
        for f in frame.faces
    }
    assert len(names) == 2, "each number stayed with its person"
    assert {number for number, _ in names} == {0, 1}


def test_order_of_detections_does_not_matter() -> None:
    def script(i: int) -> People:
        people: People = {"ann": (60, 60, 50), "bob": (170, 60, 40)}
        return people if i % 8 else dict(reversed(people.items()))

    result, _ = run(script, 20)
    assert all(owner(f.faces[0], script(0)) == "ann" for f in result)
    assert set(tracks(result)) == {"01"}


@pytest.mark.parametrize("at", [5, 6, 7, 8, 9])
def test_a_cut_to_another_person_elsewhere_is_another_track(at) -> None:
    def script(i: int) -> People:
        return {"ann": (60, 60, 40)} if i < at else {"bob": (180, 90, 50)}

    result, _ = run(script, 20, scene=lambda i: "a" if i < at else "b")
    assert tracks(result) == ["0" if i < at else "1" for i in range(20)]


@pytest.mark.parametrize("at", [6, 8])
def test_a_cut_to_another_person_in_the_same_place_is_another_track(at) -> None:
    def script(i: int) -> People:
        return {"ann": (100, 80, 50)} if i < at else {"bob": (100, 80, 50)}

    result, _ = run(script, 20, scene=lambda i: "a" if i < at else "b")
    assert tracks(result) == ["0" if i < at else "1" for i in range(20)]


def test_nothing_is_interpolated_over_a_cut() -> None:
    result, detector = run(
        lambda i: {"ann": (100, 80, 50)}, 9, scene=lambda i: "a" if i < 6 else "b"
    )
    assert [5, 6, 7] in detector.asked
    assert all(frame.faces[0].detected for frame in result[4:])


def test_where_pictures_say_nothing_position_decides() -> None:
    def script(i: int) -> People:
        return {"ann": (50, 60, 40)} if i < 8 else {"bob": (190, 60, 40)}

    result, _ = run(script, 16, drawn=lambda i: {}, scene=lambda i: "flat")
    assert tracks(result) == ["0"] * 8 + ["1"] * 8


def test_cutting_back_finds_the_first_person_again() -> None:
    def script(i: int) -> People:
        return {"bob": (180, 90, 50)} if 8 <= i < 16 else {"ann": (60, 60, 40)}

    result, _ = run(script, 28, scene=lambda i: "b" if 8 <= i < 16 else "a")
    assert tracks(result) == ["1" if 8 <= i < 16 else "0" for i in range(28)]


# --- without a detector, and statistics -----------------------------------------------------------


def test_without_a_detector_the_middle_of_the_frame_is_the_face() -> None:
    frames = [draw(i, {"ann": (60, 60, 40)}) for i in range(3)]
    config = FaceConfig(detector="none", margin=0.5)
    result = list(face_frames(frames, config, size=48, detector=Scripted(lambda i: {})))
    for frame, out in zip(frames, result, strict=True):
        (face,) = out.faces
        assert (face.track, face.confidence, face.detected) == (0, 1.0, True)
        assert face.box == (0, 0, 240, 160)
        middle = Image.fromarray(frame.rgb[:, 40:200]).resize((48, 48), Image.Resampling.BICUBIC)
        assert np.abs(face.crop[2:-2, 2:-2] - np.asarray(middle, int)[2:-2, 2:-2]).max() <= 3


def faces(index: int, *boxes: tuple[int, tuple[float, float, float, float], float]) -> FrameFaces:
    crop = np.zeros((2, 2, 3), np.uint8)
    found = tuple(Face(track, box, confidence, True, crop) for track, box, confidence in boxes)
    return FrameFaces(index, index / 10, found, (100, 50))


def test_track_table_adds_up() -> None:
    table = TrackTable()
    table.add(faces(0, (0, (0, 0, 10, 10), 1.0)))
    table.add(faces(1))
    table.add(faces(2, (0, (0, 0, 10, 10), 0.5), (1, (0, 0, 50, 50), 0.9)))
    first, second = table.stats()
    assert (first.track, first.n_frames, first.first, first.last) == (0, 2, 0.0, 0.2)
    assert first.prominence == pytest.approx(0.02 + 0.01)
    assert (second.n_frames, second.first) == (1, 0.2)
    assert second.prominence == pytest.approx(0.45)
    assert table.n_frames == 3
    assert most_prominent(table.stats()) is second
    assert most_prominent(()) is None


def test_equal_prominence_goes_to_the_earlier_track() -> None:
    table = TrackTable()
    table.add(faces(0, (1, (0, 0, 10, 10), 1.0), (0, (20, 0, 30, 10), 1.0)))
    best = most_prominent(table.stats())
    assert best is not None
    assert best.track == 0


def test_missing_facenet_says_what_to_install(monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(EmoCLIPError, match="pip install"):
        list(face_frames([draw(0, {})], FaceConfig(), size=8))
