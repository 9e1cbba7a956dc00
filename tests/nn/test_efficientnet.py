"""The EfficientNet tower against open_clip's (timm's) of the same weights."""

from __future__ import annotations

import pytest
import torch

from emoclip_sdk.nn.efficientnet import EfficientNetTower

from .pair import pair


@pytest.mark.parametrize("size", [0, 1, 2])
@torch.no_grad()
def test_images_as_by_open_clip(size: int) -> None:
    theirs, ours = pair(size)
    assert isinstance(ours.visual, EfficientNetTower)
    # training relies on the order
    assert list(ours.visual.state_dict()) == list(theirs.visual.state_dict())
    for side in (64, 75):  # the padding depends on it
        images = torch.randn(2, 3, side, side)
        torch.testing.assert_close(ours.encode_images(images), theirs.encode_image(images))
