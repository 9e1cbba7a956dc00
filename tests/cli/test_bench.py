"""``emoclip bench`` as a user meets it."""

from __future__ import annotations

import json
import sys

import pytest

from emoclip_sdk.cli import main
from emoclip_sdk.diagnostics.bench.clips import portrait


@pytest.fixture
def bench(monkeypatch, capsys):
    """Run the command in this process; returns exit code, standard output and error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["emoclip", "bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return end.value.code or 0, out, err

    return run


def test_rows_and_machine(bench):
    code, out, _ = bench("--short", 0, "--clips", 2, "--json")
    found = json.loads(out)
    assert code == 0 and found["machine"]["cores"] >= 1
    (row,) = found["rows"]
    assert row["figure"].startswith("2 clips") and row["goal"] == ">= 1.6"
    one, batch = row["seconds"].values()
    assert row["ratio"] == pytest.approx(one / batch, rel=0.01)


def test_a_table_of_accuracy(bench, tmp_path):
    (tmp_path / "a.mp4").write_bytes(portrait().read_bytes())
    code, out, _ = bench("--short", 0, "--clips", 0, "--media", tmp_path)
    lines = [line.split() for line in out.splitlines() if "boxes with IoU" in line]
    assert code == 0 and len(lines) == 1
    assert float(lines[0][-2]) == 1, "the portrait looks straight into the camera"


def test_a_folder_without_videos(bench, tmp_path):
    code, _, err = bench("--short", 0, "--clips", 0, "--media", tmp_path)
    assert code == 1 and "no .mp4" in err
