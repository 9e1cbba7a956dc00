"""Who speaks in the videos of a study: a column of the manifest."""

from __future__ import annotations

import pytest
from builders import write_video
from conftest import moving_stripes, read_here

pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from emoclip_sdk import EmoCLIP, run_batch
from emoclip_sdk.errors import BatchError

OPTIONS = dict(labels=["joy", "fear"], faces="none", workers=1)


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
    """Two videos of two seconds: somebody speaks in the first half of each, somebody else later."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "said").mkdir()
    for name in ("a", "b"):
        write_video(folder / f"{name}.mp4", moving_stripes(20), 10)
    line = "SPEAKER a 1 {} {} <NA> <NA> {} <NA> <NA>\n"
    (folder / "said" / "a.rttm").write_text(line.format(0, 0.75, "P") + line.format(1.5, 0.25, "Q"))
    (folder / "said" / "b.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\n[S]: yes\n")
    (folder / "study.csv").write_text(
        "path,speech,speech_speaker\na.mp4,said/a.rttm,P\nb.mp4,said/b.srt,\n"
    )
    return folder


def test_windows(model, study, tmp_path):
    out, options = tmp_path / "o.parquet", dict(model=model, window=1, step=1, **OPTIONS)
    run_batch(study / "study.csv", out, **options)
    rows = pq.read_table(out).to_pylist()
    assert [(r["source"], r["speaking"], r["speaker"], r["text"]) for r in rows] == [
        ("a.mp4", 0.75, "P", None),
        ("a.mp4", 0.0, None, None),
        ("b.mp4", 1.0, "S", "yes"),
        ("b.mp4", 0.0, None, None),
    ]
    assert all(row["score:joy"] is not None for row in rows)
    assert rows[0]["speech"] == "said/a.rttm"
    with pytest.raises(BatchError, match="other settings"):
        run_batch(study / "study.csv", out, silent=True, **options)
    run_batch(study / "study.csv", out, silent=True, overwrite=True, **options)
    silent = pq.read_table(out).to_pylist()
    assert [row["reason"] for row in silent] == ["speech", None, "speech", None]
    assert silent[0]["score:joy"] is None
    assert silent[1]["score:joy"] == pytest.approx(rows[1]["score:joy"])


def test_events(model, study, tmp_path):
    (tmp_path / "t.csv").write_text("file,start,end,name\na.mp4,0,2,one\nb.mp4,0.5,1,two\n")
    options = dict(model=model, window=0.5, step=0.5, events=tmp_path / "t.csv", **OPTIONS)
    run_batch(study / "study.csv", tmp_path / "o.parquet", silent=True, **options)
    one, two = pq.read_table(tmp_path / "o.parquet").to_pylist()
    # P speaks in two of four windows, for 0.75 of 2 s.
    assert (one["seconds"], one["speaking"], one["speaker"]) == (1.0, 0.375, "P")
    assert (two["reason"], two["mean:joy"], two["speaking"]) == ("speech", None, 1.0)
    (tmp_path / "t.csv").write_text("file,start,end,text\na.mp4,0,2,one\n")
    with pytest.raises(BatchError, match="the events have a column 'text'.*rename"):
        run_batch(study / "study.csv", tmp_path / "p.parquet", **options)


@pytest.mark.parametrize(
    "text, options, complaint",
    [
        ("path,speech\na.mp4,said/x.rttm\n", {}, r"x.rttm: can't be read.*the speech of a.mp4"),
        ("path,speech\na.mp4,said/b.srt\n", {"speakers": ["P"]}, "no speaker 'P'; there are: S"),
        ("path\na.mp4\n", {"silent": True}, "a column 'speech'"),
        ("path,speech\na.mp4,said/a.rttm\nb.mp4,\n", {"silent": True}, "b.mp4: nothing says"),
        ("path,speech\na.mp4,said/a.rttm\n", {"silent": True, "window": None}, "for windows or"),
        ("path,speech,text\na.mp4,said/a.rttm,x\n", {}, "the manifest has a column 'text'"),
    ],
)
def test_unusable(model, study, tmp_path, text, options, complaint):
    manifest, out = study / "other.csv", tmp_path / "o.parquet"
    manifest.write_text(text)
    with pytest.raises(BatchError, match=complaint):
        run_batch(manifest, out, **{"model": model, "window": 1, **OPTIONS, **options})
    assert not out.exists()
