"""Models that can't be loaded, from the command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Classify


@pytest.mark.parametrize("name", ["clip-vit-b-33", "./nowhere"])
def test_unknown_model(emoclip, crop_video, name):
    code, out, err = emoclip("classify", crop_video, "--model", name)
    assert code == 2 and out == "" and "clip-vit-b-32" in err


def test_model_without_text_tower(emoclip, textless_checkpoint, crop_video, tmp_path):
    arguments = (crop_video, "--model", textless_checkpoint, "--faces", "none")
    code, out, err = emoclip("classify", *arguments)
    assert code == 2 and out == "" and "no text tower" in err
    code, _, _ = emoclip("embed", *arguments, "-o", tmp_path / "out.npz")
    assert code == 0


def test_broken_checkpoint_is_no_usage_error(emoclip, crop_video, tiny_checkpoint, tmp_path):
    (tmp_path / "config.json").write_bytes((tiny_checkpoint / "config.json").read_bytes())
    code, out, err = emoclip("classify", crop_video, "--model", tmp_path)
    assert code == 1 and out == "" and "model.safetensors" in err and len(err.splitlines()) == 1


def test_unreachable_hub(crop_video, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "emoclip_sdk", "classify", crop_video, "--model", "org/name"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "can't be reached" in done.stderr and "Traceback" not in done.stderr
