"""Views of training pictures, embedded by the tower as inference runs it."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch

from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.mini import temporal
from emoclip_sdk.training.mini.settings import read_mini_settings


def test_views_are_what_the_tower_says_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = read_mini_settings(load_recipe("mini")).model
    network = DualEncoder(model)
    for module in network.towers.visual.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    before = copy.deepcopy(network.state_dict())
    pictures = torch.randint(0, 256, (40, 48, 48), dtype=torch.uint8)
    drawn: list[torch.Tensor] = []

    def augment(*arguments: object) -> torch.Tensor:
        drawn.append(original(*arguments))
        return drawn[-1]

    original = temporal.augment
    monkeypatch.setattr(temporal, "augment", augment)
    data = SimpleNamespace(all_pictures=lambda: pictures)
    views = temporal.embed_views(network, data, model.image, 2, seed=3)
    assert views.shape == (40, 2, network.towers.width)
    # 32 pictures, then 8; of each part one view after the other.
    for view in (0, 1):
        with torch.no_grad():
            expected = network.towers.encode_images(torch.cat([drawn[view], drawn[2 + view]]))
        torch.testing.assert_close(views[:, view], expected, rtol=1e-3, atol=1e-4)
    assert (views[:, 0] - views[:, 1]).norm() > 1e-2 * views[:, 0].norm()
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
