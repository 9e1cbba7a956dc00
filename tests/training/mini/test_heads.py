"""Rendered heads as training material of the shape stream."""

from __future__ import annotations

import numpy as np
import torch

from emoclip_sdk.prompts.facial_actions import action_wordings
from emoclip_sdk.training.data.measured_actions import FacialActions
from emoclip_sdk.training.mini.heads import CaptionedHeads


def test_captions_fit_the_heads_that_show_what_they_say() -> None:
    names = ("nose_wrinkle", "smile", "jaw_drop")
    presence = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0.5]], np.float32)
    words = {text.lower(): i for i, name in enumerate(names) for text in action_wordings()[name]}

    def encode(texts: list[str]) -> torch.Tensor:
        """Say which action a text is about: by the longest wording that is in it."""
        inside = [[w for w in words if w in text.lower()] for text in texts]
        return torch.eye(3)[[words[max(found, key=len)] for found in inside]]

    heads = CaptionedHeads(
        torch.arange(3.0)[:, None].expand(3, 5), FacialActions(names, presence), encode,
        sentences=200, seed=0, device=torch.device("cpu"),
    )  # fmt: skip
    torch.manual_seed(0)
    rows, captions, fits = heads.draw(300, noise=0.0)
    assert rows.shape == (300, 5) and captions.shape == (300, 3) and fits.shape == (300, 300)
    head, said = rows[:, 0].long(), captions.argmax(dim=1)
    assert set(head.tolist()) == set(said.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(fits.numpy(), presence[head][:, said])
