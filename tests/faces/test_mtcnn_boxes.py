"""Our arithmetic of boxes against that of facenet-pytorch and torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy
from torchvision.ops import batched_nms, roi_align

from emoclip_sdk.faces import mtcnn_boxes


@pytest.mark.parametrize("most", [0.3, 0.7])
def test_suppression_is_that_of_the_library(most: float, monkeypatch) -> None:
    monkeypatch.setattr(mtcnn_boxes, "_BATCH_SIZE", 16)
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 30, (200, 2))
    boxes = np.hstack([corners, corners + rng.uniform(20, 60, (200, 2)), rng.random((200, 1))])
    rows = torch.tensor(boxes, dtype=torch.float32)
    group = torch.tensor(rng.integers(0, 3, 200))
    expected = batched_nms(rows[:, :4], rows[:, 4], group, most)
    assert 10 < len(expected) < 150
    assert mtcnn_boxes.nms(rows, group, most).tolist() == expected.tolist()
    within = batched_nms_numpy(rows[:, :4], rows[:, 4], group, most, "Min")
    assert mtcnn_boxes.nms(rows, group, most, over_smaller=True).tolist() == within.tolist()
    assert mtcnn_boxes.nms(rows[:0], group[:0], most).tolist() == []


def test_cut_out_regions_are_those_of_roi_align() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(3, 3, 40, 60)
    first = torch.rand(20, 2) * torch.tensor([50.0, 30.0])
    regions = torch.cat([first, first + 4 + 5 * torch.rand(20, 2)], dim=1)
    regions[0] = torch.tensor([0.0, 0.0, 60.0, 40.0])
    owner = torch.randint(0, 3, (20,))
    expected = roi_align(
        pictures,
        torch.cat([owner[:, None].float(), regions], 1),
        24,
        sampling_ratio=2,
        aligned=True,
    )
    torch.testing.assert_close(
        mtcnn_boxes.roi_crops(pictures, regions, owner, 24), expected, atol=1e-4, rtol=1e-4
    )
