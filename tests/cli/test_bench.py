"""``emoclip bench`` as a user meets it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from emoclip_sdk import EmoCLIP
from emoclip_sdk.cli import main
from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.diagnostics.bench.models import without_shape_stream
from emoclip_sdk.faces import FaceShape


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


@pytest.mark.slow
def test_rows_and_machine(bench):
    code, out, _ = bench("--short", 0, "--clips", 2, "--json")
    found = json.loads(out)
    assert code == 0 and found["machine"]["cores"] >= 1
    (row,) = found["rows"]
    assert row["figure"].startswith("2 clips") and row["goal"] == ">= 1.6"
    one, batch = row["seconds"].values()
    assert row["ratio"] == pytest.approx(one / batch, rel=0.01)


@pytest.mark.slow
def test_a_table_of_accuracy(bench, tmp_path):
    (tmp_path / "a.mp4").write_bytes(portrait().read_bytes())
    code, out, _ = bench("--short", 0, "--clips", 0, "--media", tmp_path)
    lines = [line.split() for line in out.splitlines() if "boxes with IoU" in line]
    assert code == 0 and len(lines) == 1
    assert float(lines[0][-2]) == 1, "the portrait looks straight into the camera"


def test_a_folder_without_videos(bench, tmp_path):
    code, _, err = bench("--short", 0, "--clips", 0, "--media", tmp_path)
    assert code == 1 and "no .mp4" in err


def test_the_model_without_its_shape_stream_has_the_same_towers():
    model = EmoCLIP.from_pretrained(device="cpu")
    alone = without_shape_stream(model)
    size = model.config.image.crop_size or model.config.image.size
    crops = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    points = np.random.default_rng(1).normal(size=(478, 3)).astype(np.float32)
    shape = FaceShape(points, 1.0, np.zeros(52, np.float32))
    pixels = alone.encoder.frames(crops)
    embedded = model.encoder.frames(crops, [None, shape])
    embedded = embedded[:, : pixels.shape[1]]  # what it says of facial actions apart
    np.testing.assert_array_equal(embedded[0], pixels[0])
    assert np.abs(embedded[1] - pixels[1]).max() > 1e-3
