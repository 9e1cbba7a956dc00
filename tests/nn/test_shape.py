"""The shape stream looks at the face, and not at where it is in the picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from emoclip_sdk.config import (
    ImageConfig,
    ModelConfig,
    ShapeConfig,
    TemporalConfig,
    TowersConfig,
)
from emoclip_sdk.faces import FaceShape
from emoclip_sdk.inference.encoder import Encoder
from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.nn.shape import SHAPE_FEATURES, shape_features

MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    config = ModelConfig(
        TowersConfig(model=MODEL),
        TemporalConfig(kind="mean"),
        image=ImageConfig(size=32),
        shape=ShapeConfig(hidden=8),
    )
    return Encoder(DualEncoder(config), config, "cpu", "float32")


def _face() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    landmarks = torch.rand(1, 478, 3, generator=generator) * 100
    landmarks[:, [33, 133]] = torch.tensor([30.0, 40, 0])
    landmarks[:, [263, 362]] = torch.tensor([70.0, 40, 0])
    return landmarks, torch.rand(1, 52, generator=generator)


def test_place_size_and_tilt_do_not_count() -> None:
    landmarks, blendshapes = _face()
    angle = math.radians(25)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = 3 * landmarks
    moved[..., :2] = moved[..., :2] @ turn.T + torch.tensor([200.0, -50])
    here, there = (shape_features(points, blendshapes) for points in (landmarks, moved))
    assert here.shape == (1, SHAPE_FEATURES)
    torch.testing.assert_close(here, there, atol=1e-4, rtol=1e-4)
    eyes = here[0, :-52].view(478, 3)[[33, 263]]
    torch.testing.assert_close(eyes, torch.tensor([[-0.5, 0, 0], [0.5, 0, 0]]))


def test_a_face_without_a_shape_is_embedded_by_its_pixels(encoder: Encoder) -> None:
    landmarks, blendshapes = (tensor[0].numpy() for tensor in _face())
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    pixels = encoder.frames(crops)
    both = encoder.frames(crops, [None, FaceShape(landmarks, 1.0, blendshapes), None])
    np.testing.assert_array_equal(both[[0, 2]], pixels[[0, 2]])
    added = encoder.network.shape(shape_features(*_face())).numpy()[0]
    np.testing.assert_allclose(both[1], pixels[1] + added, atol=1e-5)
    assert np.abs(added).max() > 1e-3


def test_config_of_a_model_without_a_shape_stream_does_not_name_it() -> None:
    plain = ModelConfig(TowersConfig(model=MODEL))
    assert "shape" not in plain.to_dict() and ModelConfig.from_dict(plain.to_dict()) == plain
    with_shape = ModelConfig(TowersConfig(model=MODEL), shape=ShapeConfig(hidden=8))
    assert with_shape.to_dict()["shape"] == {"hidden": 8}
    assert ModelConfig.from_dict(with_shape.to_dict()) == with_shape
