"""``emoclip export-onnx`` as a user meets it."""

from __future__ import annotations

import pytest

# Classify


def test_export_onnx(emoclip, tiny_checkpoint, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "onnx"
    code, stdout, err = emoclip("export-onnx", out, "--model", tiny_checkpoint)
    assert code == 0 and stdout == "" and "float32, worst cosine to torch 1.000000" in err
    assert {p.name for p in out.iterdir()} == {"image.onnx", "temporal.onnx", "emoclip.json"}
    assert emoclip("export-onnx", out, "--model", tiny_checkpoint, "--int8")[0] == 2
