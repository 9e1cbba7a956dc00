"""The shipped weights are those that were measured, and still do what they did."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.checkpoints import embedded_folder
from emoclip_sdk.checkpoints.folder import WEIGHTS_FILE
from emoclip_sdk.runtime.hashes import file_hash

SAMPLE = Path(__file__).with_name("emoclip-mini.npz")
TOOL = Path(__file__).parents[2] / "tools" / "store_sample.py"
RENEW = "Were the weights replaced? Then: python tools/store_sample.py --root ferplus.npz"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("store_sample", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample():
    with np.load(SAMPLE, allow_pickle=False) as file:
        return {**file, "about": json.loads(str(file["about"]))}


def test_the_file_is_the_measured_one(embedded_model, sample) -> None:
    assert file_hash(embedded_folder() / WEIGHTS_FILE) == sample["about"]["weights"], RENEW


def test_figures_of_the_sample(embedded_model, sample, tool) -> None:
    about = sample["about"]
    frames = sample["frames"].astype(np.float32)
    labels = sample["labels"].astype(np.int64)
    found = tool.sample_figures(embedded_model, frames, labels, about["classes"])
    # One picture may change sides from one processor's rounding to another's.
    assert found == pytest.approx(about["figures"], abs=1.5 / len(labels)), RENEW
    assert len(labels) >= 130
    assert found["uar"] > 0.5


def test_the_image_tower_sees_what_it_saw(embedded_model, sample, tool) -> None:
    found = embedded_model.encoder.frames(tool.drawn_pictures())
    stored = sample["drawn"].astype(np.float32)
    cosine = (
        (found * stored).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(stored, axis=1)
    )
    assert cosine.min() > 0.999, RENEW
    # The pictures differ for the model, so that the comparison above can fail.
    unit = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    assert (unit @ unit.T - np.eye(4)).max() < 0.99


def test_the_sample_holds_no_picture(sample) -> None:
    assert set(sample) == {"frames", "labels", "drawn", "about"}
    assert SAMPLE.stat().st_size < 200_000
