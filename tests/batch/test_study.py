"""A study in one table: windows, actions and events of many files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from builders import write_video
from conftest import moving_stripes, read_here

pytest.importorskip("pyarrow")
import pyarrow.parquet as pq
from PIL import Image

from emoclip_sdk import EmoCLIP, Event, ReadOptions, run_actions, run_batch
from emoclip_sdk.batch import crops
from emoclip_sdk.batch.tasks import WindowTask
from emoclip_sdk.errors import BatchError, EmoCLIPError

LABELS = ["joy", "fear"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "portrait.mp4"
OPTIONS = dict(labels=LABELS, faces="none", workers=1)


@pytest.fixture(scope="module", autouse=True)
def here():
    with pytest.MonkeyPatch.context() as patch:
        read_here(patch)
        yield


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two participants with two files each, one of which is broken, and a picture."""
    folder = tmp_path_factory.mktemp("study")
    frames = moving_stripes(80)
    write_video(folder / "p1_rest.mp4", frames[:20], 10)
    write_video(folder / "p1_task.mp4", frames[20:60], 10)
    write_video(folder / "p2_rest.mp4", frames[60:], 10)
    (folder / "p2_task.mp4").write_bytes(b"no video")
    Image.fromarray(frames[0]).save(folder / "p2_photo.png")
    (folder / "study.csv").write_text(
        "path;participant;session;baseline_for\np1_rest.mp4;p1;1;p1\np1_task.mp4;p1;2;\n"
        "p2_rest.mp4;p2;1;p2\np2_task.mp4;p2;2;\np2_photo.png;p2;3;\n"
    )
    return folder


@pytest.fixture(scope="module")
def windows(model, study, tmp_path_factory):
    """The table of the study's windows, as Parquet and as CSV."""
    out = tmp_path_factory.mktemp("out") / "windows.csv"
    report = run_batch(study / "study.csv", out, model=model, window=1, step=0.5, **OPTIONS)
    assert (report.total, list(report.failed), report.no_face) == (5, ["p2_task.mp4"], ())
    return out


def parquet(out):
    return out.with_name(out.name + ".parquet")


def test_windows_of_a_study(model, study, windows):
    """Row by row what `timeline` says of each file, with all that the manifest does."""
    rows = pq.read_table(parquet(windows)).to_pylist()
    for name, person, session in (("p1_rest.mp4", "p1", "1"), ("p1_task.mp4", "p1", "2")):
        one = model.timeline(study / name, LABELS, window=1, step=0.5, faces="none")
        ours = [row for row in rows if row["source"] == name]
        assert len(ours) == len(one) and all(row["status"] == "ok" for row in ours)
        for row, record in zip(ours, one.to_records(), strict=True):
            assert (row["participant"], row["session"]) == (person, session)
            for key in ("track", "start", "end", "first_frame", "last_frame", "n_frames", "label"):
                assert row[key] == record[key]
            for key in ("face_x1", "detection_confidence", "quality", "score:joy"):
                assert row[key] == pytest.approx(record[key], abs=1e-6)
            assert row["prominent"] is True and row["error"] is None
    (failed,) = [row for row in rows if row["source"] == "p2_task.mp4"]
    assert (failed["status"], failed["participant"], failed["start"]) == ("failed", "p2", None)
    assert "not a video" in failed["error"]
    (photo,) = [row for row in rows if row["source"] == "p2_photo.png"]
    assert (photo["start"], photo["end"], photo["n_frames"]) == (0.0, 0.0, 1)
    assert photo["score:joy"] + photo["score:fear"] == pytest.approx(1)


def test_one_row_group_for_each_file(windows):
    file = pq.ParquetFile(parquet(windows))
    sources = [
        set(file.read_row_group(i)["source"].to_pylist()) for i in range(file.num_row_groups)
    ]
    names = ["p1_rest.mp4", "p1_task.mp4", "p2_rest.mp4", "p2_task.mp4", "p2_photo.png"]
    assert sources == [{name} for name in names]


def test_other_formats_have_the_same_rows(model, study, windows, tmp_path):
    rows = pq.read_table(parquet(windows)).to_pylist()
    table = list(csv.DictReader(windows.open()))
    assert [row["source"] for row in table] == [row["source"] for row in rows]
    assert [row["start"] for row in table] == [
        "" if row["start"] is None else str(row["start"]) for row in rows
    ]
    out = tmp_path / "o.jsonl"
    run_batch(study / "p1_rest.mp4", out, model=model, window=1, step=0.5, **OPTIONS)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["score:joy"] for line in lines] == pytest.approx(
        [row["score:joy"] for row in rows[: len(lines)]]
    )


def test_changes_against_the_baseline_of_each_person(windows):
    """The mean of the baseline's rows, and what differs from it, by arithmetic."""
    rows = pq.read_table(parquet(windows)).to_pylist()
    for person in ("p1", "p2"):
        ours = [row for row in rows if row["participant"] == person and row["status"] == "ok"]
        rest = f"{person}_rest.mp4"
        mean = np.mean([row["score:joy"] for row in ours if row["source"] == rest])
        for row in ours:
            assert row["baseline_source"] == rest
            assert row["change:joy"] == pytest.approx(row["score:joy"] - mean, abs=1e-12)
            assert row["change:joy"] + row["change:fear"] == pytest.approx(0, abs=1e-9)
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["baseline_source"] is None and failed["change:joy"] is None


@pytest.mark.parametrize("baseline", ["auto", (0.0, 1.0)])
def test_changes_within_each_file(embedded_model, tmp_path, baseline):
    """The baseline of each face in its own video: what `timeline` says."""
    options = dict(window=1, step=1, actions=True, baseline=baseline, fps=None)
    labels = ["joy", "neutral"]
    one = embedded_model.timeline(EXAMPLE, labels, **options)
    out = tmp_path / "o.parquet"
    run_batch([EXAMPLE], out, model=embedded_model, labels=labels, workers=1, **options)
    rows = pq.read_table(out).to_pylist()
    assert len(rows) == len(one) and one.baselines[0].used is (baseline != "auto")
    for row, record in zip(rows, one.to_records(), strict=True):
        assert row["baseline"] == record["baseline"]
        for name in ("change:joy", "change:jawOpen", "jawOpen"):
            expected = None if np.isnan(record[name]) else pytest.approx(record[name], abs=1e-4)
            assert row[name] == expected
    (tmp_path / "m.csv").write_text(f"path,who,baseline_for\n{EXAMPLE},a,a\n")
    with pytest.raises(BatchError, match="leave baseline out"):
        run_batch(tmp_path / "m.csv", tmp_path / "x.csv", model=embedded_model, **options)


def test_goes_on_in_the_middle_of_a_study(model, study, windows, tmp_path):
    """Begun, stopped, added to: the rows of a run that was never interrupted."""
    out, manifest = tmp_path / "o.parquet", study / "study.csv"
    options = dict(model=model, window=1, step=0.5, **OPTIONS)

    def stop(now):
        if now.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(manifest, out, progress=stop, **options)
    with pytest.raises(BatchError, match="step was 0.5; .*step is 1"):
        run_batch(manifest, out, **{**options, "step": 1})
    assert run_batch(manifest, out, **options).skipped == 2
    expected = pq.read_table(parquet(windows))
    assert pq.read_table(out).equals(expected)
    assert run_batch(manifest, out, retry_failed=True, **options).skipped == 4
    assert pq.read_table(out).equals(expected)


def test_parts_with_windows(model, study, tmp_path):
    """A window has a start of its own: those of the trial stand beside it."""
    (study / "parts.csv").write_text("path,start,end\np1_task.mp4,00:00:01.5,3\n")
    run_batch(study / "parts.csv", tmp_path / "o.parquet", model=model, step=0.5, **OPTIONS)
    rows = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert {(row["part_start"], row["part_end"]) for row in rows} == {("00:00:01.5", "3")}
    assert min(row["start"] for row in rows) == 1.5 and max(row["end"] for row in rows) == 3.0
    assert rows[0]["source"] == "p1_task.mp4#t=1.5,3" and rows[0]["first_frame"] == 15


def test_faces_of_a_window_table(detecting_model, two_faces):
    """Which is the most prominent face, and which faces have rows."""
    sent = []
    read = crops.open_reader(
        sent.append, detecting_model.config, ReadOptions(), detecting_model.detector, boxes=True
    )
    video = read(two_faces)
    parts = [detecting_model.encoder.frames(*part) for part in sent]
    scorer = detecting_model.scorer(None, "average", None)
    every = WindowTask(scorer, 1.0, 1.0).result("x", video.stream(parts))
    whole = detecting_model.timeline(two_faces, window=1.0, step=1.0, fps=25)
    assert [(r.track, r.start, r.box) for r in every] == [(r.track, r.start, r.box) for r in whole]
    one = WindowTask(scorer, 1.0, 1.0, "prominent").result("x", video.stream(parts))
    assert {row.track for row in every} == {0, 1, None} and {r.track for r in one} == {0, None}


def test_actions_of_a_study(embedded_model, study, tmp_path):
    """Row by row what `actions` says of a file, resumed as all batches are."""
    (tmp_path / "m.csv").write_text(
        f"path,participant,baseline_for\n{EXAMPLE},p1,p1\n{study / 'p2_task.mp4'},p1,\n"
    )
    out = tmp_path / "o.parquet"
    options = dict(model=embedded_model, rate=2.0, workers=1)
    report = run_actions(tmp_path / "m.csv", out, **options)
    assert list(report.failed) == [str(study / "p2_task.mp4")]
    rows = pq.read_table(out).to_pylist()
    expected = embedded_model.actions(EXAMPLE, rate=2.0).to_records()
    assert len(rows) == len(expected) + 1 and pq.ParquetFile(out).num_row_groups == 2
    smile = [record["mouthSmileLeft"] for record in expected]
    for row, record in zip(rows, expected, strict=False):
        assert (row["frame"], row["time"], row["track"]) == (
            record["frame"],
            record["time"],
            record["track"],
        )
        assert row["mouthSmileLeft"] == pytest.approx(record["mouthSmileLeft"])
        change = record["mouthSmileLeft"] - np.mean(smile)
        assert row["change:mouthSmileLeft"] == pytest.approx(change, abs=1e-9)
        assert row["participant"] == "p1" and row["prominent"] is True
    assert run_actions(tmp_path / "m.csv", out, **options).skipped == 2
    with pytest.raises(BatchError, match="rate was 2.0"):
        run_actions(tmp_path / "m.csv", out, **{**options, "rate": 3.0})


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("path,participant,baseline_for\na.mp4,p1,p1\nb.mp4,p2,p3\n", "'p3' is not in column"),
        ("path,a,b,baseline_for\na.mp4,1,1,1\n", "in several columns: a, b"),
        ("path,change:joy\na.mp4,1\n", "'change:joy'.*rename"),
    ],
)
def test_unusable_baselines(model, tmp_path, text, complaint):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(BatchError, match=complaint):
        run_batch(tmp_path / "m.csv", tmp_path / "o.parquet", model=model, window=1)
    assert not (tmp_path / "o.parquet").exists()


def test_unusable_options(model, study, tmp_path):
    with pytest.raises(EmoCLIPError, match="positive"):
        run_batch(study, tmp_path / "o.parquet", model=model, window=0)
    with pytest.raises(EmoCLIPError, match="deterministic"):
        run_batch(study, tmp_path / "o.parquet", model=model, window=1, sampling="uniform")
    with pytest.raises(BatchError, match="for windows"):
        run_batch(study, tmp_path / "o.parquet", model=model, baseline="auto")
    with pytest.raises(BatchError, match="baseline_for"):
        run_batch(study, tmp_path / "o.parquet", model=model, window=1, baseline="rest.mp4")
    with pytest.raises(BatchError, match="for events"):
        run_batch(study, tmp_path / "o.parquet", model=model, tier="trials")


@pytest.fixture(scope="module")
def trials(model, study, tmp_path_factory):
    """The table of trials of two files, and the list that it is made of."""
    folder = tmp_path_factory.mktemp("trials")
    listed = folder / "trials.csv"
    listed.write_text(
        "file,start,end,name,condition\np1_task.mp4,00:00:00.5,2,one,calm\n"
        "p1_task.mp4,2,3.25,two,loud\np1_task.mp4,20,21,three,calm\n"
        "p1_rest.mp4,0,2,rest,\np2_task.mp4,0,1,one,calm\n"
    )
    out = folder / "o.parquet"
    report = run_batch(
        study / "study.csv", out, model=model, events=listed, step=0.25, window=0.5, **OPTIONS
    )
    assert report.total == 4 and set(report.failed) == {"p1_task.mp4", "p2_task.mp4"}
    return out


def test_events_of_a_study(model, study, trials):
    """A row for each trial and face, with what the lists say; by `Timeline.events` one by one."""
    rows = pq.read_table(trials).to_pylist()
    assert [(row["source"], row["event"], row["condition"]) for row in rows] == [
        ("p1_rest.mp4", "rest", None),
        ("p1_task.mp4", "one", "calm"),
        ("p1_task.mp4", "two", "loud"),
        ("p1_task.mp4", "three", "calm"),
        ("p2_rest.mp4", "baseline", None),
        ("p2_task.mp4", "one", "calm"),
    ]
    timeline = model.timeline(study / "p1_task.mp4", LABELS, window=0.5, step=0.25, faces="none")
    alone = timeline.events([(0.5, 2), (2, 3.25)])
    for row, one in zip(rows[1:3], alone, strict=True):
        assert (row["start"], row["end"], row["track"]) == (one.event.start, one.event.end, 0)
        assert row["mean:joy"] == pytest.approx(one.means["joy"], abs=1e-6)
        assert row["max:fear"] == pytest.approx(one.maxima["fear"], abs=1e-6)
        assert row["seconds"] == pytest.approx(row["end"] - row["start"])
        assert row["participant"] == "p1" and row["status"] == "ok"
    assert "the event from 20 to 21 s is not in the video" in rows[3]["error"]
    assert "not a video" in rows[5]["error"] and rows[5]["track"] is None
    # A baseline without a trial counts whole: two seconds.
    assert (rows[4]["start"], rows[4]["end"], rows[4]["change:joy"]) == (0, 2, 0)
    # The rest's own trial is the baseline of the person.
    assert rows[1]["change:joy"] == pytest.approx(rows[1]["mean:joy"] - rows[0]["mean:joy"])
    assert rows[0]["change:joy"] == 0 and rows[5]["change:joy"] is None


def test_actions_of_the_events_of_a_study(embedded_model, tmp_path):
    """Two columns for each action, what `Timeline.events` says of it, and its change."""
    options = dict(window=1, step=1, actions=True)
    listed = [Event(0.5, 2.0, "one"), Event(20.0, 21.0, "late")]
    out = tmp_path / "o.csv"
    (tmp_path / "m.csv").write_text(f"path,who,baseline_for\n{EXAMPLE},a,a\n")
    study = dict(labels=LABELS, events=listed, workers=1, **options)
    run_batch(tmp_path / "m.csv", out, model=embedded_model, **study)
    one, late = csv.DictReader(out.open())
    timeline = embedded_model.timeline(EXAMPLE, LABELS, **options)
    (expected, _) = timeline.events(listed)
    for name in ("jawOpen", "mouthSmileLeft", "yaw"):
        assert float(one[f"mean:{name}"]) == pytest.approx(expected.action_means[name], abs=1e-4)
        assert float(one[f"max:{name}"]) == pytest.approx(expected.action_maxima[name], abs=1e-4)
        assert float(one[f"change:{name}"]) == 0 and late[f"mean:{name}"] == ""
    assert expected.action_maxima["jawOpen"] > expected.action_means["jawOpen"] > 0
    study["labels"] = ["joy", "yaw"]
    with pytest.raises(BatchError, match="'yaw' is a label and a facial action"):
        run_batch(tmp_path / "m.csv", tmp_path / "x.csv", model=embedded_model, **study)


def test_events_that_fit_no_video(model, study, tmp_path):
    options = dict(model=model, **OPTIONS)
    files = [study / "p1_rest.mp4", study / "p1_task.mp4"]
    for text, complaint in (
        ("start,end\n0,1\n", "names no video, and there are 2"),
        ("file,start,end\nx.mp4,0,1\n", "x.mp4.*not in the batch"),
    ):
        (tmp_path / "t.csv").write_text(text)
        with pytest.raises(BatchError, match=complaint):
            run_batch(files, tmp_path / "o.parquet", events=tmp_path / "t.csv", **options)
    (tmp_path / "t.csv").write_text("start,end\n0,1\n")
    run_batch(files[:1], tmp_path / "o.parquet", events=tmp_path / "t.csv", **options)
    (row,) = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert (row["source"], row["start"], row["end"]) == (str(files[0]), 0.0, 1.0)


def test_folders_of_pictures(model, study, tmp_path):
    """Many pictures, or the frames of one video: nobody guesses."""
    folder = tmp_path / "photos"
    for i, frame in enumerate(moving_stripes(3)):
        (folder / f"p{i}").mkdir(parents=True)
        Image.fromarray(frame).save(folder / f"p{i}" / "a.jpg")
    with pytest.raises(BatchError, match=r"3 pictures and no video.*--as pictures.*--as video"):
        run_batch(folder, tmp_path / "o.parquet", model=model, **OPTIONS)
    for kind, names in (
        ("pictures", [str(folder / f"p{i}" / "a.jpg") for i in range(3)]),
        ("video", [str(folder / f"p{i}") for i in range(3)]),
    ):
        out = tmp_path / f"{kind}.parquet"
        run_batch(folder, out, model=model, folder_as=kind, **OPTIONS)
        assert pq.read_table(out)["source"].to_pylist() == names
    (tmp_path / "m.csv").write_text("path,who\nphotos/p1,x\nphotos/p2,y\n")
    run_batch(
        tmp_path / "m.csv", tmp_path / "m.parquet", model=model, folder_as="pictures", **OPTIONS
    )
    table = pq.read_table(tmp_path / "m.parquet").select(["source", "who"]).to_pylist()
    assert table == [
        {"source": "photos/p1/a.jpg", "who": "x"},
        {"source": "photos/p2/a.jpg", "who": "y"},
    ]
