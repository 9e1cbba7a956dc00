"""From uint8 crops to the tower's input."""

from __future__ import annotations

import torch

from emoclip_sdk.config import ImageConfig
from emoclip_sdk.nn import preprocess


def test_normalizes_and_keeps_channels() -> None:
    crop = torch.tensor([255, 0, 51], dtype=torch.uint8).expand(1, 4, 4, 3)
    config = ImageConfig(size=4, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.1))
    out = preprocess(crop, config)
    assert out.shape == (1, 3, 4, 4)
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([1.0, -2.0, -3.0]))


def test_grey_is_luma_on_three_channels() -> None:
    crop = torch.tensor([255, 0, 0], dtype=torch.uint8).expand(1, 4, 4, 3)
    config = ImageConfig(size=8, mean=(0, 0, 0), std=(1, 1, 1), color="gray")
    torch.testing.assert_close(preprocess(crop, config), torch.full((1, 3, 8, 8), 0.299))


def test_shrinking_does_not_alias() -> None:
    stripes = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    out = preprocess(stripes, ImageConfig(size=8, mean=(0, 0, 0), std=(1, 1, 1)))
    assert (out[..., 1:-1] - 0.5).abs().max() < 0.05
