"""The same person again: films in which people leave, come back and cross, and photos of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from faces_on_film import frame, people

from emoclip_sdk import Timeline
from emoclip_sdk.errors import EmoCLIPError

LABELS = ["joy", "anger"]


@pytest.fixture(scope="module")
def film(people_model, people_film):
    return people_model.read(people_film, people=True)


@pytest.fixture(scope="module")
def timeline(people_model, film):
    return people_model.timeline(film, LABELS, window=0.4, step=0.4, people=True)


def places(timeline) -> dict[str | None, list[tuple[float, float]]]:
    """When and where each person is: seconds, and pixels from the left."""
    found: dict[str | None, list[tuple[float, float]]] = {}
    for row in timeline:
        if row.box is not None:
            place = (row.start, (row.box[0] + row.box[2]) / 2)
            found.setdefault(row.person.name, []).append(place)
    return found


def test_who_leaves_and_returns_is_the_same_person(timeline) -> None:
    seen = places(timeline)
    assert set(seen) == {"person 1", "person 2", None}
    times = [start for start, _ in seen["person 1"]]
    assert min(times) < 1 and 3 < max(times) < 6
    assert len({row.track for row in timeline if row.person.name == "person 1"}) == 2


def test_two_people_who_cross_stay_two(timeline) -> None:
    seen = places(timeline)
    one = [x for start, x in seen["person 1"] if start > 3]
    other = [x for start, x in seen["person 2"]]
    assert one == sorted(one) and one[-1] - one[0] > 250, "from left to right"
    assert other == sorted(other, reverse=True) and other[0] - other[-1] > 250
    for start, x in seen["person 1"]:  # never both in one place
        assert all(s != start or abs(x - y) > 30 for s, y in seen["person 2"])


def test_who_may_be_a_known_one_or_not_is_unsure(timeline) -> None:
    last = [row for row in timeline if row.start >= 8 and row.track is not None]
    assert last and {row.person.reason for row in last} == {"unsure"}
    assert all(row.person.name is None and math.isnan(row.person.certainty) for row in last)


def test_photos_name_them(people_model, film, photos) -> None:
    known = {"Anna": photos["one"], "Ben": [photos["other"], photos["other"]]}
    named = people_model.timeline(film, LABELS, window=1.0, people=known)
    assert set(places(named)) == {"Anna", "Ben", None}
    assert all(row.person.certainty >= 0.9 for row in named if row.person.name)
    # A stranger to the photo is no Ben, but a person of its own.
    alone = people_model.timeline(film, LABELS, window=1.0, people={"Ben": photos["other"]})
    assert set(places(alone)) == {"Ben", "person 1", None}


def test_tables_have_who_it_is(timeline, tmp_path) -> None:
    record = timeline.to_records()[0]
    assert list(record)[:5] == ["source", "track", "person", "person_certainty", "person_reason"]
    assert (record["person"], record["person_reason"]) == ("person 1", None)
    nobody = next(row for row in timeline.to_records() if row["track"] is None)
    assert nobody["person"] is None and nobody["person_reason"] is None
    timeline.save(tmp_path / "t.json")
    assert Timeline.load(tmp_path / "t.json").people == timeline.people
    assert timeline.resample(1.0).people.keys() == timeline.people.keys()


def test_nothing_of_what_a_face_looks_like_is_in_a_result(timeline, tmp_path) -> None:
    timeline.save(tmp_path / "t.json")
    assert "vector" not in (tmp_path / "t.json").read_text()
    assert not any("identit" in name or "vector" in name for name in timeline.to_records()[0])


def test_persons_are_joined_over_a_list_of_videos(people_model, photos, tmp_path) -> None:
    videos = [photos["one"], tmp_path / "missing.png", photos["other"], photos["one"]]
    found = people_model.actions(videos, people=True)
    assert [[p.name for p in each.people.values()] for each in found] == [
        ["person 1"],
        [],
        ["person 2"],
        ["person 1"],
    ]


def test_people_are_not_told_apart_unless_asked(people_model, photos, timeline) -> None:
    found = people_model.timeline(photos["one"], LABELS)
    assert found.people == {} and "person" not in found.to_records()[0]
    assert "person" not in found.rows[0].to_dict()
    read = people_model.read(photos["one"])
    with pytest.raises(EmoCLIPError, match=r"read without its people: say people=True to read"):
        people_model.timeline(read, LABELS, people=True)


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ("Anna", "people must be True, False, or names with photos"),
        ({"": "a.jpg"}, "'' is no name"),
        ({"person 2": "a.jpg"}, "those without a photo are called 'person 2'"),
        ({"Anna": []}, "'Anna' needs a photo"),
        ({"Anna": 3}, "'Anna' needs a photo"),
        ({"Anna": "missing.jpg"}, "the photo of Anna: .*no such file"),
    ],
)
def test_a_choice_that_nobody_can_be_is_refused(people_model, photos, choice, problem) -> None:
    with pytest.raises(EmoCLIPError, match=problem):
        people_model.timeline(photos["one"], LABELS, people=choice)


def test_a_photo_shows_one_person_and_shows_it_well(people_model, photos, tmp_path) -> None:
    from PIL import Image

    who = people()
    both = frame((who["one"], 10), (who["other"], 300))
    pictures = {"2 faces are in it": both, "no face is in it": np.full_like(both, 128)}
    pictures["too small"] = np.asarray(Image.fromarray(both[:, :250]).resize((62, 70)))
    for problem, picture in pictures.items():
        path = tmp_path / "photo.png"
        Image.fromarray(picture).save(path)
        with pytest.raises(EmoCLIPError, match=rf"the photo of Anna: .*photo\.png.*{problem}"):
            people_model.timeline(photos["one"], LABELS, people={"Anna": path})
