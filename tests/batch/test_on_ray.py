"""A cluster of two nodes, of which one actor is killed in mid-run."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from emoclip_sdk import EmoCLIP
from emoclip_sdk.batch import run_actions, run_batch

pq = pytest.importorskip("pyarrow.parquet")
ray = pytest.importorskip("ray")

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and files to the end of the process.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one processor each, on this machine."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    node = dict(num_cpus=1, object_store_memory=100 * 2**20)
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    cluster.add_node(**node)
    # The nodes run the package that is tested, wherever it lies.
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parents[1])])
    ray.init(address=cluster.address, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def actors():
    """Return the processes of the living actors."""
    from ray._private.state import actors as table  # the public one needs a dashboard

    return [a["Pid"] for a in table().values() if a["State"] == "ALIVE" and a["Pid"]]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_actor_loses_nothing(cluster, tiny_checkpoint, crop_video, tmp_path):
    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")
    model.add_compound("wry", ["happiness", "anger"])
    labels = ["joy", "wry"]
    folder = tmp_path / "v"
    folder.mkdir()
    for i in range(40):
        shutil.copy(crop_video, folder / f"{i:02d}.mp4")
    (folder / "05.mp4").write_bytes(b"no video")
    killed = []

    def kill(now):
        if now.done >= 3 and not killed:
            killed.append(actors()[0])
            os.kill(killed[0], signal.SIGKILL)

    out = tmp_path / "o.parquet"
    options = dict(model=model, labels=labels, faces="none")
    report = run_batch(folder, out, engine="ray", workers=2, progress=kill, **options)
    assert killed and (report.total, list(report.failed)) == (40, [str(folder / "05.mp4")])
    rows = pq.read_table(out).to_pylist()
    assert [row["source"] for row in rows] == sorted(map(str, folder.iterdir()))
    one = model.classify(crop_video, labels, faces="none")
    for row in rows:
        if row["status"] == "ok":
            for label in labels:
                assert row[f"score:{label}"] == pytest.approx(one.scores[label], abs=1e-6)
    # The local engine goes on with what Ray has begun, and the other way round.
    shutil.copy(crop_video, folder / "05.mp4")
    assert run_batch(folder, out, workers=1, retry_failed=True, **options).skipped == 39
    shutil.copy(crop_video, folder / "99.mp4")
    assert run_batch(folder, out, engine="ray", workers=1, **options).skipped == 40
    assert [row["status"] for row in pq.read_table(out).to_pylist()] == ["ok"] * 41


def test_windows_and_actions(cluster, tiny_checkpoint, crop_video, tmp_path):
    """The tables of many rows are those of the local engine, row group by row group."""
    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")
    folder = tmp_path / "v"
    folder.mkdir()
    for i in range(6):
        shutil.copy(crop_video, folder / f"{i:02d}.mp4")
    (folder / "03.mp4").write_bytes(b"no video")
    options = dict(model=model, faces="none", workers=2)
    for run, more in (
        (run_batch, dict(labels=["joy", "wry smile"], window=1, step=0.5)),
        (run_actions, dict(rate=2.0)),
    ):
        tables = []
        for engine in ("ray", "local"):
            out = tmp_path / f"{engine}.parquet"
            report = run(folder, out, engine=engine, overwrite=True, **options, **more)
            assert (report.total, list(report.failed)) == (6, [str(folder / "03.mp4")])
            assert pq.ParquetFile(out).num_row_groups == 6
            tables.append(pq.read_table(out))
        assert tables[0].schema.equals(tables[1].schema)
        for name in tables[0].column_names:
            ours, theirs = (table[name].to_pylist() for table in tables)
            assert ours == pytest.approx(theirs, abs=1e-6, nan_ok=True), name
