"""A model with a shape stream reads landmarks wherever it reads videos."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk import EmoCLIP
from emoclip_sdk.batch.crops import open_reader
from emoclip_sdk.inference.options import ReadOptions
from emoclip_sdk.nn import DualEncoder

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.mp4"


@pytest.fixture(scope="module")
def with_shape() -> EmoCLIP:
    return EmoCLIP.from_pretrained(device="cpu", dtype="float32")


def test_shapes_are_added_to_frame_embeddings(with_shape: EmoCLIP) -> None:
    stream = with_shape.reader(PORTRAIT, ReadOptions())
    frames = [frame for frame in stream if 0 in frame.faces]
    assert stream.tracks[0].shape_share == sum(0 in f.shapes for f in frames) / len(frames) > 0.9

    plain = dataclasses.replace(with_shape.config, shape=None, actions=None)
    pixels = EmoCLIP(plain, DualEncoder(plain), name="pixels", device="cpu", dtype="float32")
    weights = with_shape.encoder.network.state_dict()
    pixels.encoder.network.load_state_dict(
        {key: weights[key] for key in pixels.encoder.network.state_dict()}
    )
    without = [f for f in pixels.reader(PORTRAIT, ReadOptions()) if 0 in f.faces]
    assert not any(frame.shapes for frame in without)
    for frame, other in zip(frames, without, strict=True):
        added = frame.faces[0][: len(other.faces[0])] - other.faces[0]
        assert (np.abs(added).max() > 1e-2) == (0 in frame.shapes)


def test_worker_processes_send_shapes_with_crops(with_shape: EmoCLIP) -> None:
    sent = []
    read = open_reader(sent.append, with_shape.config, ReadOptions())(str(PORTRAIT))
    there = list(read.stream([with_shape.encoder.frames(*crops) for crops in sent]))
    here = list(with_shape.reader(PORTRAIT, ReadOptions()))
    for frame, other in zip(here, there, strict=True):
        assert frame.faces.keys() == other.faces.keys()
        for track, vector in frame.faces.items():
            np.testing.assert_allclose(other.faces[track], vector, atol=0.05)


def test_crops_are_read_beyond_their_border(with_shape: EmoCLIP) -> None:
    crops = []
    for _ in with_shape.reader(
        PORTRAIT, ReadOptions(), lambda f: crops.extend(x.crop for x in f.faces)
    ):
        pass
    images = np.stack(crops)
    added = with_shape.embed_crops(images) - with_shape.encoder.frames(images)
    assert (np.abs(added).max(axis=1) > 1e-2).mean() > 0.9
    noise = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    np.testing.assert_array_equal(with_shape.embed_crops(noise), with_shape.encoder.frames(noise))
