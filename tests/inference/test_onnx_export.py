"""ONNX files: they agree with torch, say what they are, and are not written when they don't."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys

import numpy as np
import pytest
import torch

from emoclip_sdk import EmoCLIP, EmoCLIPError, MissingDependencyError
from emoclip_sdk.config import ActionSpaceConfig, ShapeConfig
from emoclip_sdk.faces import FaceShape
from emoclip_sdk.nn import DualEncoder

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


@pytest.mark.parametrize("actions", [None, ActionSpaceConfig(width=8, hidden=8, heads=2)])
def test_shapes_are_a_file_of_their_own(exact, tmp_path, stripes, actions):
    """Crops and shapes to scores with onnxruntime, as torch has them; one face has no shape."""
    torch.manual_seed(0)
    config = dataclasses.replace(exact.config, shape=ShapeConfig(hidden=8), actions=actions)
    model = EmoCLIP(config, DualEncoder(config), device="cpu", dtype="float32")
    facts = module.export_onnx(model, tmp_path / "out")
    rng = np.random.default_rng(0)
    landmarks = rng.uniform(0, 200, (3, 478, 3)).astype(np.float32)
    blendshapes = rng.random((3, 52), dtype=np.float32)
    crops = stripes(4, facts["image"]["crop_size"])
    shapes = [
        FaceShape(points, 1.0, scores)
        for points, scores in zip(landmarks, blendshapes, strict=True)
    ]
    expected = model.encoder.frames(crops, [*shapes, None])
    frames = _run(tmp_path / "out" / "image.onnx", crops=crops)
    added = _run(tmp_path / "out" / "shape.onnx", landmarks=landmarks, blendshapes=blendshapes)
    frames[:3] += added
    np.testing.assert_allclose(frames, expected, atol=1e-4)
    mask = np.ones((1, 4), bool)
    clip = _run(tmp_path / "out" / "temporal.onnx", frames=frames[None], mask=mask)
    assert clip.shape[1] == facts["embedding"] == model.encoder.width
    assert _cosine(clip, model.encoder.pool(expected, [[0, 1, 2, 3]])).min() >= 0.9999


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
