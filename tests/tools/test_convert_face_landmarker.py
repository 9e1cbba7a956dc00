"""The converter refuses what is not the networks it knows."""

from __future__ import annotations

import importlib.util
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def convert():
    path = ROOT / "tools" / "convert_face_landmarker.py"
    spec = importlib.util.spec_from_file_location("convert_face_landmarker", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


STEM = {
    "StrideH": 2,
    "StrideW": 2,
    "Padding": 0,
    "FusedActivationFunction": 0,
    "DilationHFactor": 1,
}


def stem(convert, kind="CONV_2D", inputs=(-1,), **options):
    weights = [np.zeros((16, 3, 3, 3), np.float32), np.zeros(16, np.float32)]
    return convert.Operator(kind, list(inputs), weights, {**STEM, **options})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "FULLY_CONNECTED"}, "operator 0 is FULLY_CONNECTED"),
        ({"inputs": (3,)}, "CONV_2D of \\[3\\], where CONV_2D of \\[-1\\]"),
        ({"StrideH": 1}, "'StrideH': 1"),
        ({"FusedActivationFunction": 1}, "'FusedActivationFunction': 1"),
        ({}, "the graph ends where PRELU should come"),
    ],
)
def test_another_graph_is_refused(convert, change, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        list(convert.landmark_weights([stem(convert, **change)], [0]))


def test_another_mixer_is_refused(convert) -> None:
    with pytest.raises(ValueError, match="not the MLP mixer"):
        list(convert.blendshape_weights([stem(convert)], [0]))


def test_values_that_float16_can_not_hold_are_refused(convert) -> None:
    import torch

    layer = torch.nn.Linear(1, 1)
    good = [np.ones((1, 1), np.float32), np.zeros(1, np.float32)]
    assert convert.fitted(layer, iter(good))["weight"].item() == 1
    with pytest.raises(ValueError, match="bias: float16 does not hold it"):
        convert.fitted(layer, iter([good[0], np.full(1, 0.1, np.float32)]))
    with pytest.raises(ValueError, match=r"weight: \(2, 1\) in the file"):
        convert.fitted(layer, iter([np.ones((2, 1), np.float32), good[1]]))


def test_the_canonical_face_is_read(convert) -> None:
    def message(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    vertices = [1.0, 2.0, 3.0, 0.5, 0.5, 4.0, 5.0, 6.0, 0.1, 0.2]
    mesh = b"".join(b"\x1d" + struct.pack("<f", value) for value in vertices)
    basis = b"\x08\x01\x15" + struct.pack("<f", 0.25)
    points, weights = convert.canonical_face(message(1, mesh) + message(2, basis))
    assert points.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert weights.tolist() == [0, 0.25]


def test_a_file_that_is_no_task_is_named(convert, tmp_path, monkeypatch, capsys) -> None:
    path = tmp_path / "face.task"
    path.write_bytes(b"nothing")
    monkeypatch.setattr(sys, "argv", ["convert", str(path), str(tmp_path / "out")])
    assert convert.main() == 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("face_detector.tflite", b"")
    assert convert.main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    assert not (tmp_path / "out").exists()
