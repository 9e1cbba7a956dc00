"""The contrastive loss against CLIP's definition, and its soft targets."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from emoclip_sdk.nn import contrastive_loss


def test_hard_targets_are_clips_symmetric_cross_entropy() -> None:
    torch.manual_seed(0)
    video, text, scale = torch.randn(6, 8), torch.randn(6, 8), torch.tensor(1.3)
    cos = torch.stack([F.cosine_similarity(v[None], text) for v in video])
    logits = scale.exp() * cos
    labels = torch.arange(6)
    expected = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    torch.testing.assert_close(contrastive_loss(video, text, scale), expected)
    torch.testing.assert_close(contrastive_loss(video, text, scale, torch.eye(6)), expected)


def test_texts_that_fit_nothing_do_not_count() -> None:
    torch.manual_seed(0)
    video, text, scale = torch.randn(2, 8), torch.randn(3, 8), torch.tensor(0.0)
    targets = torch.tensor([[1.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    logits = F.normalize(video, dim=1) @ F.normalize(text, dim=1).T
    rows = F.cross_entropy(logits, torch.arange(2))
    columns = F.cross_entropy(logits[:, :2].T, torch.arange(2))
    loss = contrastive_loss(video, text, scale, targets)
    torch.testing.assert_close(loss, (rows + columns) / 2)
