"""Random views of small face pictures, and mixtures of them."""

from __future__ import annotations

import torch

from emoclip_sdk.config import ImageConfig
from emoclip_sdk.training.mini.augment import augment


def test_three_in_ten_views_lack_one_patch() -> None:
    torch.manual_seed(0)
    config = ImageConfig(size=50, mean=(0.0,) * 3, std=(1.0,) * 3)
    views = augment(torch.full((600, 48, 48), 128, dtype=torch.uint8), config, 50)
    assert views.shape == (600, 3, 50, 50)
    assert torch.equal(views[:, 0], views[:, 2])
    cut = 0
    for view in views[:, 0]:
        patch = (view - view.mode().values.mode().values).abs() > 1e-3
        if not patch.any():
            continue
        cut += 1
        rows, columns = patch.any(dim=1), patch.any(dim=0)
        assert torch.equal(patch, rows[:, None] & columns), "a rectangle"
        for side in (rows, columns):
            at = side.nonzero().flatten()
            assert int(at[-1] - at[0]) + 1 == len(at), "in one piece"
            assert 7 <= len(at) <= 20, "15 to 40 % of the side"
        assert view[patch].unique().numel() == 1, "in one gray"
    assert 0.24 < cut / 600 < 0.36
