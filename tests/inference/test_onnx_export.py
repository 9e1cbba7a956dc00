"""ONNX files: they agree with torch, say what they are, and are not written when they don't."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest
import torch

from emoclip_sdk import EmoCLIP, EmoCLIPError, MissingDependencyError
from emoclip_sdk.config import ShapeConfig
from emoclip_sdk.nn.shape import ShapeStream, shape_features

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
module = importlib.import_module("emoclip_sdk.inference.onnx_export")


def _run(path, **arrays):
    (found,) = onnxruntime.InferenceSession(path).run(None, arrays)
    return found


def _cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


@pytest.fixture
def exact(tiny_checkpoint):
    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", dtype="float32")


def test_files_are_enough_to_score(exact, tmp_path, stripes):
    """Crops to scores with onnxruntime and the JSON file, for a clip with a gap."""
    module.export_onnx(exact, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "emoclip.json").read_text())
    crops = stripes(7, facts["image"]["crop_size"])
    frames = _run(tmp_path / "out" / "image.onnx", crops=crops)
    assert _cosine(frames, exact.encoder.frames(crops)).min() >= 0.9999
    mask = np.array([[True] * 6 + [False]])
    clip = _run(tmp_path / "out" / "temporal.onnx", frames=frames[None], mask=mask)
    expected = exact.encoder.pool(frames, [[*range(6), -1]])
    assert _cosine(clip, expected).min() >= 0.9999
    text, _ = exact.embed_labels()
    np.testing.assert_allclose(list(facts["labels"].values()), text, rtol=1e-6)
    assert facts["logit_scale"] == pytest.approx(exact.encoder.logit_scale)


def test_shape_stream_is_a_file_of_its_own(tmp_path):
    torch.manual_seed(0)
    stream = ShapeStream(16, ShapeConfig(hidden=8)).eval().requires_grad_(False)
    assert module._write_shape(stream, tmp_path, module.OPSET) >= 0.9999
    rng = np.random.default_rng(0)
    landmarks = rng.uniform(0, 200, (3, 478, 3)).astype(np.float32)
    blendshapes = rng.random((3, 52), dtype=np.float32)
    added = _run(tmp_path / "shape.onnx", landmarks=landmarks, blendshapes=blendshapes)
    features = shape_features(torch.from_numpy(landmarks), torch.from_numpy(blendshapes))
    np.testing.assert_allclose(added, stream(features).numpy(), atol=1e-4)


def test_int8_is_smaller_measured_and_refused(exact, tmp_path, stripes, monkeypatch):
    video = [stripes(30)]
    facts = module.export_onnx(exact, tmp_path, calibration=video, faces="none")
    assert facts["image"]["dtype"] == "int8" and 0.99 <= facts["cosine"]["image.onnx"] < 0.999999
    before = (tmp_path / "image.onnx").read_bytes()
    monkeypatch.setattr(module, "MIN_COSINE_INT8", 0.999999)
    with pytest.raises(EmoCLIPError, match=r"image\.onnx: not written, its cosine to torch is"):
        module.export_onnx(exact, tmp_path, calibration=video, faces="none")
    assert (tmp_path / "image.onnx").read_bytes() == before
    files = {"image.onnx", "temporal.onnx", "emoclip.json"}
    assert {p.name for p in tmp_path.iterdir()} == files


def test_refused_before_any_work(exact, tiny_checkpoint, tmp_path, monkeypatch):
    half = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", dtype="bfloat16")
    with pytest.raises(EmoCLIPError, match="dtype='float32'"):
        module.export_onnx(half, tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(EmoCLIPError, match="is a file"):
        module.export_onnx(exact, tmp_path / "file")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "emoclip_sdk\[onnx\]"'):
        module.export_onnx(exact, tmp_path / "out")
