"""The output: whole or not there, each video once, never of two minds, never two writers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from emoclip_sdk.batch import BatchInput
from emoclip_sdk.batch.rows import clip_table
from emoclip_sdk.batch.store import ResultStore
from emoclip_sdk.errors import BatchError, EmoCLIPError
from emoclip_sdk.results.records import Prediction

LABELS = ("joy", "fear")
TABLE = clip_table(LABELS, "w")
SETTINGS = {"labels": list(LABELS), "revision": None}


def rows(name, joy=0.5, error=None):
    item = BatchInput(name, name)
    scores = {"joy": joy, "fear": 1 - joy}
    nothing = dict.fromkeys(LABELS, float("nan"))
    if error:
        return TABLE.rows(item, [Prediction("x", nothing, nothing, {}, error=error)])
    return TABLE.rows(item, [Prediction("x", scores, scores, {}, track=0)])


def store(out, settings=SETTINGS, **options):
    return ResultStore(out, TABLE.schema, settings, **options)


def content(out):
    table = pq.read_table(out)
    return dict(zip(table["source"].to_pylist(), table["score:joy"].to_pylist(), strict=True))


@pytest.mark.parametrize("many_rows", [False, True])
def test_goes_on_where_it_stopped(tmp_path, many_rows):
    out = tmp_path / "new" / "o.parquet"
    with pytest.raises(KeyboardInterrupt), store(out, many_rows=many_rows) as first:
        first.add(rows("b", 0.25))
        first.add(rows("a", error="broken"))
        raise KeyboardInterrupt
    assert not out.exists()
    with store(out, many_rows=many_rows) as second:
        assert second.status == {"b": "ok", "a": "failed"} and second.errors == {"a": "broken"}
        second.add(rows("c"))
        second.add(rows("a", 0.75))  # it was mended
        assert second.errors == {}
        second.merge({"a": {"who": "s1"}, "b": {}, "c": {}}, "input")
    assert list(content(out).items()) == [("a", 0.75), ("b", 0.25), ("c", 0.5)]
    assert pq.read_table(out)["who"].to_pylist() == ["s1", None, None]
    assert sorted(p.name for p in out.parent.iterdir()) == [".o.parquet.lock", "o.parquet"]
    with store(
        out, many_rows=many_rows
    ) as third:  # other videos come to it, and what was said of "a" stays
        third.add(rows("d"))
        third.merge({"d": {"who": "s4"}}, "input")
    assert list(content(out)) == ["a", "b", "c", "d"]
    assert pq.read_table(out)["who"].to_pylist() == ["s1", None, None, "s4"]


@pytest.mark.parametrize("many_rows", [False, True])
def test_order_of_completion(tmp_path, many_rows):
    out = tmp_path / "o.parquet"
    with store(out, many_rows=many_rows) as s:
        for name in "cab":
            s.add(rows(name))
            s.flush()
        s.merge({name: {} for name in "abc"}, "completed")
    assert list(content(out)) == ["c", "a", "b"]


def test_other_settings_are_refused_or_begun_anew(tmp_path):
    out = tmp_path / "o.parquet"
    with store(out) as s:
        s.add(rows("a"))
    other = {**SETTINGS, "revision": "v2"}
    for finish in (False, True):
        with pytest.raises(
            BatchError, match=r"revision was None; now revision is 'v2'.*--overwrite"
        ):
            store(out, other).__enter__()
        if not finish:
            with store(out) as s:
                s.merge({"a": {}}, "input")
    with store(out, other, overwrite=True) as s:
        assert s.status == {}
        s.add(rows("b"))
        s.merge({"b": {}}, "input")
    assert list(content(out)) == ["b"]


def test_what_is_not_ours_stays(tmp_path):
    out = tmp_path / "o.parquet"
    out.write_text("mine")
    with pytest.raises(BatchError, match="no whole Parquet file"):
        store(out).__enter__()
    import pyarrow as pa

    pq.write_table(pa.table({"source": ["a"]}), out)
    with pytest.raises(BatchError, match="not from `emoclip batch`"):
        store(out).__enter__()
    assert pq.read_table(out).num_rows == 1


def test_two_processes(tmp_path):
    out = tmp_path / "o.parquet"
    with store(out) as first:
        with pytest.raises(BatchError, match="another process is writing it"):
            store(out, overwrite=True).__enter__()
        first.add(rows("a"))
        first.merge({"a": {}}, "input")
    with store(out) as s:
        assert s.status == {"a": "ok"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs rights that are refused")
def test_read_only(tmp_path):
    (tmp_path / "ro").mkdir(mode=0o500)
    with pytest.raises(EmoCLIPError, match="can't be written"):
        store(tmp_path / "ro" / "o.parquet").__enter__()


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmoCLIPError, match=r"file.*can't be written"):
        store(tmp_path / "file" / "o.parquet").__enter__()


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_store import rows, store
import emoclip_sdk.batch.store as module
module._PART_ROWS = 3
out = Path({out!r})
with store(out) as s:
    names = [f"{{i:03d}}" for i in range(60)]
    print("begun", flush=True)
    for name in names:
        if name not in s.status:
            s.add(rows(name, int(name) / 100))
            print(name, flush=True)
    s.merge({{name: {{}} for name in names}}, "input")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("moments", [(20,), pytest.param((0, 20, 59), marks=pytest.mark.slow)])
def test_killed_at_any_moment(tmp_path, moments):
    out = tmp_path / "o.parquet"
    code = SCRIPT.format(here=os.path.dirname(__file__), out=str(out))
    for after in moments:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for line in map(str.strip, process.stdout):
            if line == "begun" if after == 0 else line.isdigit() and int(line) >= after:
                break
        time.sleep(0.003 * (after % 7))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if out.exists():
            assert len(content(out)) == 60
        for part in out.with_name("o.parquet.parts").glob("[!.]*"):
            pq.read_table(part)  # whole
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    assert content(out) == {f"{i:03d}": i / 100 for i in range(60)}
    assert pq.read_table(out).num_rows == 60
    assert sorted(p.name for p in tmp_path.iterdir()) == [".o.parquet.lock", "o.parquet"]
