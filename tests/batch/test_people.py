"""Persons over the files of a study, and what is left on disk of their faces."""

from __future__ import annotations

import csv

import faces_on_film
import pytest
from builders import write_video
from conftest import read_here

pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from emoclip_sdk import run_actions, run_batch
from emoclip_sdk.errors import BatchError, EmoCLIPError

OPTIONS = dict(labels=["joy", "fear"], workers=1)
IDENTITY = ("identity", "identity_looks", "identity_together")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    read_here(monkeypatch)


@pytest.fixture
def study(photos, tmp_path):
    """Photos of two people, the first one twice, and what is none."""
    (tmp_path / "broken.png").write_bytes(b"no picture")
    videos = {"a.png": "one", "b.png": "other", "c.png": "one"}
    for name, who in videos.items():
        (tmp_path / name).write_bytes(photos[who].read_bytes())
    return [tmp_path / name for name in ("a.png", "b.png", "broken.png", "c.png")]


def persons(out):
    return [
        (row["source"][-5:-4], row["person"])
        for row in pq.read_table(out).to_pylist()
        if row["track"] is not None
    ]


def stop_after(n):
    def stop(now):
        if now.done == n:
            raise KeyboardInterrupt

    return stop


def test_persons_of_windows_are_those_of_all_files(people_model, study, photos, tmp_path) -> None:
    out = tmp_path / "windows.csv"
    known = {"Ben": photos["other"]}
    options = {**OPTIONS, "model": people_model, "window": 1.0, "people": known}
    report = run_batch(study, out, **options)
    assert len(report.failed) == 1
    assert persons(tmp_path / "windows.csv.parquet") == [
        ("a", "person 1"),
        ("b", "Ben"),
        ("c", "person 1"),
    ]
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["person"] for row in rows] == ["person 1", "Ben", "", "person 1"]
    assert all(float(row["person_certainty"]) >= 0.9 for row in rows if row["person"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clips", "actions", "events"])
def test_every_table_has_persons(people_model, study, tmp_path, kind) -> None:
    out = tmp_path / "out.parquet"
    options = dict(model=people_model, people=True, workers=1)
    if kind == "actions":
        run_actions(study, out, **options)
    elif kind == "events":
        who = faces_on_film.people()
        for path, name in zip(study, ("one", "other", None, "one"), strict=True):
            if name:
                picture = faces_on_film.frame((who[name], 60), width=400)
                write_video(path.with_suffix(".mp4"), [picture] * 4, fps=5)
        study = [path.with_suffix(".mp4") for path in study if path.name != "broken.png"]
        trials = "".join(f"{path},0,0.8\n" for path in study)
        (tmp_path / "events.csv").write_text(f"file,start,end\n{trials}")
        run_batch(study, out, labels=["joy", "fear"], events=tmp_path / "events.csv", **options)
    else:
        run_batch(study, out, labels=["joy", "fear"], **options)
    assert persons(out) == [("a", "person 1"), ("b", "person 2"), ("c", "person 1")]
    assert not set(IDENTITY) & set(pq.read_schema(out).names)


def test_a_run_that_was_stopped_joins_what_it_had_seen(people_model, study, tmp_path) -> None:
    out = tmp_path / "out.parquet"
    options = {**OPTIONS, "model": people_model, "people": True}
    with pytest.raises(KeyboardInterrupt):
        run_batch(study, out, progress=stop_after(2), **options)
    parts = list((tmp_path / "out.parquet.parts").glob("*.parquet"))
    assert parts and set(IDENTITY) <= set(pq.read_schema(parts[0]).names)
    report = run_batch(study, out, **options)
    assert report.skipped == 2
    assert persons(out) == [("a", "person 1"), ("b", "person 2"), ("c", "person 1")]
    # What faces look like is gone.
    assert not (tmp_path / "out.parquet.parts").exists()
    assert not set(IDENTITY) & set(pq.read_schema(out).names)


@pytest.mark.slow
def test_a_finished_table_takes_no_more_unless_identities_are_kept(
    people_model, study, photos, tmp_path
) -> None:
    out = tmp_path / "out.csv"
    options = {**OPTIONS, "model": people_model, "people": True}
    run_batch(study[:2], out, **options)
    assert run_batch(study[:2], out, **options).skipped == 2, "nothing to do"
    with pytest.raises(BatchError, match=r"is finished.*--keep-identities"):
        run_batch(study, out, **options)
    kept = tmp_path / "kept.csv"
    run_batch(study[:2], kept, **options, keep_identities=True)
    run_batch(study, kept, **options, keep_identities=True)
    assert persons(tmp_path / "kept.csv.parquet") == [
        ("a", "person 1"),
        ("b", "person 2"),
        ("c", "person 1"),
    ]
    assert set(IDENTITY) <= set(pq.read_schema(tmp_path / "kept.csv.parquet").names)
    assert "identity" not in kept.read_text().partition("\n")[0]
    with pytest.raises(BatchError, match=r"begun with other settings \(people was"):
        run_batch(
            study, kept, **{**options, "people": {"Ben": photos["other"]}}, keep_identities=True
        )


def test_what_cannot_be_is_refused_before_a_video_is_read(people_model, study, tmp_path) -> None:
    out = tmp_path / "out.parquet"
    options = {**OPTIONS, "model": people_model}
    with pytest.raises(EmoCLIPError, match="keep_identities is for people"):
        run_batch(study, out, keep_identities=True, **options)
    with pytest.raises(EmoCLIPError, match="the photo of Ben"):
        run_batch(study, out, people={"Ben": study[2]}, **options)
    assert not out.exists()
