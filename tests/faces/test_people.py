"""Who is joined with whom, from vectors whose distances are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emoclip_sdk.faces import TrackIdentity, TrackPerson, join_people
from emoclip_sdk.faces.people import same_person


def track(number: int, *place: float, looks: int = 1, together: tuple[int, ...] = ()):
    vector = np.zeros(128, np.float32)
    vector[: len(place)] = place
    return TrackIdentity(number, vector, looks, frozenset(together))


def names(*sources, **known) -> list[dict[int, str | None]]:
    photos = {name: [track(0, *place).vector] for name, place in known.items()}
    return [
        {number: person.name or person.reason for number, person in each.items()}
        for each in join_people(sources, photos)
    ]


def test_the_same_face_is_the_same_person_in_one_video_and_in_another() -> None:
    found = names(
        [track(0, 0.0), track(1, 1.0), track(2, 0.1)],
        [track(0, 1.1), track(1, 5.0)],
    )
    assert found == [
        {0: "person 1", 1: "person 2", 2: "person 1"},
        {0: "person 2", 1: "person 3"},
    ]


def test_tracks_that_are_seen_together_are_never_one_person() -> None:
    one = [track(0, 0.0, together=(1,)), track(1, 0.0, together=(0,)), track(2, 2.0)]
    assert one[0].vector is not one[1].vector
    (found,) = names(one)
    assert found[0] != found[1] and found[2] == "person 3"
    # Neither by way of a third one.
    (found,) = names([track(0, 0.0, together=(2,)), track(1, 0.2), track(2, 0.3, together=(0,))])
    assert not found[0] == found[1] == found[2]


def test_between_the_limits_it_is_unsure() -> None:
    # The limits are where the probability is 0.9 and 0.1.
    at = {p: next(d / 1000 for d in range(2000) if same_person(d / 1000) <= p) for p in (0.9, 0.1)}
    assert names([track(0, 0.0, looks=5), track(1, at[0.9] - 0.01)]) == [
        {0: "person 1", 1: "person 1"}
    ]
    middle = (at[0.9] + at[0.1]) / 2
    assert names([track(0, 0.0, looks=5), track(1, middle)]) == [{0: "person 1", 1: "unsure"}]
    assert names([track(0, middle), track(1, 0.0, looks=5)]) == [{0: "unsure", 1: "person 1"}]
    assert names([track(0, 0.0, looks=5), track(1, at[0.1] + 0.01)]) == [
        {0: "person 1", 1: "person 2"}
    ]


def test_certainty_is_how_likely_it_is_this_person_and_no_other() -> None:
    (found,) = join_people([[track(0, 0.0), track(1, 0.4), track(2, 3.0)]])
    assert found[0].certainty == pytest.approx(same_person(0.4), abs=1e-4)
    assert found[2] == TrackPerson("person 2", 1.0)
    assert same_person(0.4) == pytest.approx(1 / (1 + math.exp(-0.1 / 0.02)))
    near = join_people([[track(0, 0.0), track(1, 0.56)]])[0]
    assert near[1].certainty == pytest.approx(1 - same_person(0.56), abs=1e-4)


def test_photos_give_names() -> None:
    found = names([track(0, 0.1), track(1, 2.1), track(2, 9.0)], Ben=(2.0,), Anna=(0.0,))
    assert found == [{0: "Anna", 1: "Ben", 2: "person 1"}]
    assert names([track(0, 0.5)], Anna=(0.0,)) == [{0: "unsure"}]
    assert names([], Anna=(0.0,)) == [{}]


def test_two_photos_of_different_names_stay_two_people() -> None:
    found = names([track(0, 0.02)], Anna=(0.0,), Twin=(0.1,))
    assert found == [{0: "unsure"}]


def test_who_of_two_at_once_is_on_the_photo_is_unsure_where_both_may_be() -> None:
    alike = [track(0, 0.40, looks=9, together=(1,)), track(1, 0.39, together=(0,))]
    (found,) = names(alike, Anna=(0.0,))
    assert found[1] == "unsure" and found[0] != "Anna"
    (found,) = names([track(0, 0.05, together=(1,)), track(1, 0.44, together=(0,))], Anna=(0.0,))
    assert found[0] == "Anna" and found[1] != "Anna"


def test_the_order_of_videos_and_tracks_changes_nothing_but_numbers() -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(0, 1, (6, 128)) * 0.12
    tracks = [
        TrackIdentity(i, np.float32(centers[i % 6] + rng.normal(0, 0.015, 128)), 1 + i % 4)
        for i in range(36)
    ]
    for order in (range(36), rng.permutation(36)):
        sources = [[tracks[i]] for i in order]
        found = [who[i].name for i, who in zip(order, join_people(sources), strict=True)]
        groups = {
            name: {i % 6 for i, f in zip(order, found, strict=True) if f == name} for name in found
        }
        assert len(groups) == 6 and all(len(g) == 1 for g in groups.values())


def test_many_tracks_are_joined_in_portions(monkeypatch) -> None:
    from emoclip_sdk.faces import people

    sources = [[track(0, 3.0 * (i % 7))] for i in range(40)]
    whole = names(*sources)
    monkeypatch.setattr(people, "_TOGETHER", 5)
    assert names(*sources) == whole
    assert whole[8] == {0: "person 2"}


def test_who_is_never_seen_well_is_nobody() -> None:
    nothing = TrackIdentity(1, np.zeros(0, np.float32), 0)
    assert names([track(0, 0.0), nothing]) == [{0: "person 1", 1: "low quality"}]
    assert join_people([]) == []
