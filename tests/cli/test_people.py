"""``--people`` and ``--person`` as a user meets them."""

from __future__ import annotations

import csv
import json

import pytest


@pytest.fixture(autouse=True)
def ready(people_model):
    """Skips where persons can't be told apart."""


def test_the_timeline_says_who_it_is(emoclip, photos) -> None:
    code, out, _ = emoclip("timeline", photos["one"], "--people")
    assert code == 0 and "person 1" in out
    named = ("--person", f"Anna={photos['one']}", "--csv")
    code, out, _ = emoclip("timeline", photos["maybe"], *named)
    (row,) = csv.DictReader(out.splitlines())
    assert (row["person"], row["person_certainty"], row["person_reason"]) == ("", "", "unsure")


@pytest.mark.slow
def test_actions_of_several_files_are_of_the_same_person(emoclip, photos, broken, tmp_path) -> None:
    videos = (photos["one"], photos["other"], broken, photos["one"])
    code, out, err = emoclip("actions", *videos, "--people", "--json")
    assert code == 1 and "broken.mp4" in err
    found = [each["rows"][0]["person"]["name"] for each in json.loads(out)]
    assert found == ["person 1", "person 2", "person 1"]
    code, _, err = emoclip("actions", *videos[:2], "--people", "-o", tmp_path / "t.csv")
    assert code == 0 and "2 rows" in err
    with (tmp_path / "t.csv").open() as file:
        assert [row["person"] for row in csv.DictReader(file)] == ["person 1", "person 2"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("Anna", "'Anna' does not read NAME=PHOTO"),
        ("=x.png", "does not read NAME=PHOTO"),
        ("Anna=missing.png", "there is no file 'missing.png'"),
    ],
)
def test_a_person_needs_a_name_and_a_photo(emoclip, photos, value, problem) -> None:
    code, _, err = emoclip("timeline", photos["one"], "--person", value)
    assert code == 2 and "--person" in err and problem in err


def test_photos_are_not_written_over(emoclip, photos, tmp_path) -> None:
    photo = tmp_path / "anna.csv"
    photo.write_bytes(photos["one"].read_bytes())
    code, _, err = emoclip("timeline", photos["one"], "--person", f"Anna={photo}", "-o", photo)
    assert code == 2 and "anna.csv" in err
    assert photo.read_bytes() == photos["one"].read_bytes()


def test_identities_are_kept_of_people_only(emoclip, photos, tmp_path) -> None:
    out = ("-o", tmp_path / "t.parquet", "--keep-identities")
    code, _, err = emoclip("batch", photos["one"], *out)
    assert code == 2 and "is for --people" in err


def test_the_missing_extra_is_named_before_any_work(emoclip, photos, monkeypatch) -> None:
    from emoclip_sdk.faces import identities

    monkeypatch.setattr(identities.importlib.util, "find_spec", lambda name: None)
    code, _, err = emoclip("timeline", "missing.mp4", "--people")
    assert code != 0 and 'pip install "emoclip_sdk[people]"' in err
