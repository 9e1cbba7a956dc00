"""A batch of real files: the answers of `classify`, each video once, whatever dies."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from emoclip_sdk import EmoCLIP, ReadOptions, run_batch
from emoclip_sdk.batch import BatchEngine
from emoclip_sdk.batch.tasks import ClipTask
from emoclip_sdk.errors import BatchError, EmoCLIPError, PromptError

EXAMPLE = Path(__file__).parents[2] / "examples" / "portrait.mp4"


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    """One model for all that only read with it."""
    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")


@pytest.fixture
def videos(crop_video, stripes, tmp_path):
    """A folder: three good videos of different lengths and a broken one."""
    from PIL import Image

    folder = tmp_path / "v"
    folder.mkdir()
    shutil.copy(crop_video, folder / "b.mp4")
    (folder / "broken.mp4").write_bytes(b"no video")
    for name, n in (("a.mp4", 9), ("c.mp4", 60)):
        pictures = [Image.fromarray(frame) for frame in stripes(n)]
        pictures[0].save(
            folder / name, "GIF", save_all=True, append_images=pictures[1:], duration=100
        )
    return folder


def table(out):
    return pq.read_table(out).to_pylist()


def test_same_as_one_after_another(model, videos, tmp_path):
    out = tmp_path / "o.parquet"
    seen = []
    report = run_batch(
        videos,
        out,
        model=model,
        faces="none",
        labels=["joy", "wibbled"],
        workers=2,
        progress=seen.append,
    )
    names = [str(videos / name) for name in ("a.mp4", "b.mp4", "broken.mp4", "c.mp4")]
    rows = table(out)
    assert [row["source"] for row in rows] == names
    assert (report.total, report.skipped, report.no_face) == (4, 0, ())
    assert "not a video" in report.failed[names[2]] and len(report.failed) == 1
    assert [(now.done, now.total) for now in seen] == [(i, 4) for i in range(5)]
    for row, one in zip(rows, model.classify(names, ["joy", "wibbled"], faces="none"), strict=True):
        assert (row["label"], row["error"], row["duration"]) == (one.label, one.error, one.duration)
        assert row["model"] == model.name and row["prompt_bank"] == model.prompts.hash
        if one.error is None:
            assert (row["status"], row["track"], row["n_frames"]) == ("ok", 0, one.n_frames)
            for label in one.scores:
                assert row[f"score:{label}"] == pytest.approx(one.scores[label], abs=1e-6)
                assert row[f"similarity:{label}"] == pytest.approx(
                    one.similarities[label], abs=1e-6
                )
        else:
            assert row["status"] == "failed" and row["score:joy"] is None


def test_goes_on_and_carries_the_manifest(model, videos, tmp_path):
    out = tmp_path / "o.parquet"
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,subject\nv/c.mp4,s1\nv/a.mp4,s2\nv/broken.mp4,s3\n")
    options = dict(model=model, faces="none", workers=1)

    def stop(now):
        if now.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(manifest, out, progress=stop, **options)
    assert not out.exists() and not multiprocessing.active_children()
    with pytest.raises(BatchError, match=r"begun with other settings \(labels was"):
        run_batch(manifest, out, labels=["joy"], **options)
    report = run_batch(manifest, out, **options)
    assert (report.total, report.skipped, len(report.failed)) == (3, 1, 1)
    rows = table(out)
    assert [(row["source"], row["subject"]) for row in rows] == [
        ("v/c.mp4", "s1"),
        ("v/a.mp4", "s2"),
        ("v/broken.mp4", "s3"),
    ]
    shutil.copy(videos / "a.mp4", videos / "broken.mp4")
    assert run_batch(manifest, out, **options).skipped == 3
    assert len(run_batch(manifest, out, **options).failed) == 1
    report = run_batch(manifest, out, retry_failed=True, **options)
    assert (report.skipped, report.failed) == (2, {})
    assert [row["status"] for row in table(out)] == ["ok"] * 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_worker_loses_nothing(model, videos, tmp_path):
    out = tmp_path / "o.parquet"
    files = []
    for i in range(8):
        files.append(tmp_path / f"{i}.mp4")
        shutil.copy(videos / "b.mp4", files[-1])
    killed = []

    def kill(now):
        # Once: a second kill may hit the retry of the same video, which is then given up.
        if now.done == 2 and not killed:
            victim = multiprocessing.active_children()[0]
            victim.kill()
            killed.append(victim.pid)

    report = run_batch(files, out, model=model, faces="none", workers=1, progress=kill)
    assert len(killed) == 1 and not report.failed
    rows = table(out)
    assert [row["source"] for row in rows] == list(map(str, files))
    assert len({row["score:anger"] for row in rows}) == 1 and rows[0]["status"] == "ok"


def test_parts_of_a_manifest(model, videos, tmp_path):
    """A row for each trial, with all that the manifest says; the scores are those of `classify`."""
    manifest = videos / "trials.csv"
    manifest.write_text(
        "video;trial;start;end\nc.mp4;1;1,0;3,0\nc.mp4;2;3,0;5\nc.mp4;late;20;\na.mp4;whole;;\n"
    )
    out = tmp_path / "trials.parquet"
    report = run_batch(manifest, out, model=model, faces="none", workers=1)
    rows = table(out)
    assert [(row["source"], row["video"], row["trial"], row["start"]) for row in rows] == [
        ("c.mp4#t=1,3", "c.mp4", "1", "1,0"),
        ("c.mp4#t=3,5", "c.mp4", "2", "3,0"),
        ("c.mp4#t=20", "c.mp4", "late", "20"),
        ("a.mp4", "a.mp4", "whole", None),
    ]
    assert [row["duration"] for row in rows] == [3.0, 5.0, None, pytest.approx(0.9)]
    assert report.failed == {"c.mp4#t=20": "ends at 6 s, before the start at 20"}
    for row, start, end in ((rows[0], 1.0, 3.0), (rows[1], 3.0, 5.0)):
        alone = model.classify(videos / "c.mp4", faces="none", start=start, end=end)
        assert row["n_frames"] == alone.n_frames == 14
        assert row["score:anger"] == pytest.approx(alone.scores["anger"], abs=1e-6)
    assert run_batch(manifest, out, model=model, faces="none", workers=1).skipped == 4
    with pytest.raises(BatchError, match="leave start and end out"):
        run_batch(manifest, out, model=model, faces="none", start=1.0)


class Deadly(type(Path())):
    """The path of a video on which the process that opens it dies."""

    def __fspath__(self) -> str:
        os._exit(11)


@pytest.mark.slow
def test_a_crash_is_a_row(model, crop_video):
    paths = [str(crop_video), Deadly(crop_video), str(crop_video)]
    scorer = model.scorer(None, "average", None)
    with BatchEngine(
        model.encoder.frames, ClipTask(scorer), model.config, options=ReadOptions("none"), workers=1
    ) as engine:
        found = dict(engine(paths))
    assert found[0][0].scores == found[2][0].scores
    assert "process that read it died (exit code 11" in found[1][0].error


def test_every_face(detecting_model, two_faces):
    """Tracks and gaps come through the processes: read here, as a worker would."""
    from emoclip_sdk.batch import crops

    sent = []
    read = crops.open_reader(
        sent.append, detecting_model.config, ReadOptions(), detecting_model.detector
    )
    left = read(two_faces)
    whole = left.stream([detecting_model.encoder.frames(*part) for part in sent])
    ours = detecting_model.scorer(None, "average", None).predictions(whole, "all")
    theirs = detecting_model.classify(two_faces, track="all", fps=25)
    assert [p.track for p in ours] == [p.track for p in theirs] == [0, 1]
    for one, other in zip(ours, theirs, strict=True):
        assert one.tracks == other.tracks and one.n_frames == other.n_frames
        assert list(one.scores.values()) == pytest.approx(list(other.scores.values()), abs=1e-6)


@pytest.mark.slow
def test_iterator(model, videos):
    names = ["c.mp4", "broken.mp4", "a.mp4"]
    files = [videos / name for name in names]
    results = list(model.classify_batch(files, faces="none", workers=2))
    assert [r.source for r in results] == list(map(str, files))
    assert [r.error is None for r in results] == [True, False, True]
    several = list(model.classify_batch(files, faces="none", ordered=False, track="all", workers=2))
    assert {r[0].source for r in several} == set(map(str, files))
    assert list(model.classify_batch([])) == []


def test_a_long_video_is_sent_in_parts(model, stripes, tmp_path):
    """More crops than fit into a batch, beside short ones: in order, and nothing mixed up."""
    (tmp_path / "long").mkdir()
    from PIL import Image

    for i, frame in enumerate(stripes(150)):
        Image.fromarray(frame).save(tmp_path / "long" / f"{i:03d}.png")
    Image.fromarray(stripes(1)[0]).save(tmp_path / "short.png")
    files = [str(tmp_path / "short.png"), str(tmp_path / "long"), str(tmp_path / "short.png")]
    import dataclasses

    fast = dataclasses.replace(
        model.config, sampling=dataclasses.replace(model.config.sampling, rate=25.0)
    )
    scorer = model.scorer(None, "average", None)
    with BatchEngine(
        model.encoder.frames, ClipTask(scorer), fast, options=ReadOptions("none"), workers=2
    ) as engine:
        found = dict(engine(files))
    model.reader.config, before = fast, model.reader.config
    one = model.classify(files, faces="none")
    model.reader.config = before
    assert one[1].n_frames == 150
    for i, expected in enumerate(one):
        values = list(found[i][0].scores.values())
        assert values == pytest.approx(list(expected.scores.values()), abs=1e-6)


@pytest.mark.parametrize(
    "options, kind",
    [
        (dict(out="o.txt"), BatchError),
        (dict(workers=0), BatchError),
        (dict(timeout=0), EmoCLIPError),
        (dict(track="best"), EmoCLIPError),
        (dict(labels=[""]), PromptError),
    ],
)
def test_unusable_options(model, crop_video, tmp_path, options, kind):
    out = tmp_path / options.pop("out", "o.parquet")
    with pytest.raises(kind):
        run_batch(crop_video, out, model=model, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_may_not_name_our_columns(model, tmp_path):
    (tmp_path / "m.csv").write_text("path,score:anger\na.mp4,1\n")
    with pytest.raises(BatchError, match="'score:anger'.*rename"):
        run_batch(tmp_path / "m.csv", tmp_path / "o.parquet", model=model)


@pytest.mark.slow
def test_real_faces(embedded_model, tmp_path):
    """MTCNN in the processes, on one thread, finds what it finds here."""
    pytest.importorskip("facenet_pytorch")
    files = [tmp_path / f"{i}.mp4" for i in range(3)]
    for file in files:
        shutil.copy(EXAMPLE, file)
    run_batch(files, tmp_path / "o.parquet", model=embedded_model, workers=2)
    one = embedded_model.classify(files[0])
    for row in table(tmp_path / "o.parquet"):
        assert (row["label"], row["n_frames"]) == (one.label, one.n_frames)
        ours = [row[f"score:{label}"] for label in one.scores]
        assert np.allclose(ours, list(one.scores.values()), atol=1e-4)


def test_actions_and_quality_beside_the_scores(embedded_model, tmp_path):
    out = tmp_path / "o.parquet"
    options = dict(model=embedded_model, labels=["happiness", "anger"], workers=1)
    run_batch([EXAMPLE], out, actions=True, **options)
    (row,) = table(out)
    one = embedded_model.classify(EXAMPLE, ["happiness", "anger"])
    assert row["score:happiness"] == pytest.approx(one.scores["happiness"], abs=1e-6)
    assert row["quality"] == pytest.approx(one.quality.score) and row["reason"] is None
    assert row["mouthSmileLeft"] > 0.5 and abs(row["yaw"]) < 20
    assert "lip corners pulled up" in row["action_text"] or "grin" in row["action_text"]
    with pytest.raises(BatchError, match="actions was True"):
        run_batch([EXAMPLE], out, **options)


def test_what_is_not_seen_well_enough_has_no_score(model, crop_video, tmp_path):
    out = tmp_path / "o.parquet"
    report = run_batch([crop_video], out, model=model, faces="none", min_quality=0.9, workers=1)
    (row,) = table(out)
    assert report.no_face and (row["status"], row["reason"]) == ("no face", "low quality")
    assert row["face_size"] == pytest.approx(48) and row["label"] is None and "yaw" not in row
