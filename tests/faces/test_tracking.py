"""Who keeps which number, on drawn people and with a detector that follows a script."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.faces import Detection
from emoclip_sdk.faces.tracking import Candidate, Tracker

from .scripted import People, owner, run, tracks


def test_a_face_keeps_its_number_over_a_short_gap_and_not_over_a_long_one() -> None:
    def script(i: int) -> People:
        return {"ann": (60, 60, 40)} if i < 8 or 16 <= i < 24 or i >= 48 else {}

    result, _ = run(script, 56)
    assert tracks(result)[7] == "0"
    assert tracks(result)[16] == "0", "1.3 s later"
    assert tracks(result)[50] == "1", "3.6 s later"


def test_a_picture_that_stands_still_is_no_time_away() -> None:
    candidate = Candidate(Detection((20.0, 20.0, 60.0, 60.0), 0.99), np.ones(64))
    tracker = Tracker()
    (ann,) = tracker.update([candidate], 0.0)
    assert tracker.update([], 5.0) == []
    assert tracker.update([candidate], 6.5)[0] is ann, "away for 1.5 s"
    assert tracker.update([], 7.0) == []
    assert tracker.update([candidate], 9.1)[0] is not ann, "away for 2.1 s"


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
