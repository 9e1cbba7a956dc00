"""The moving average of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.training.engine.average import WeightAverage


def test_average_follows_its_formula_and_steps_aside() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).requires_grad_(True)
    network[0].bias.requires_grad_(False)
    average = WeightAverage(network, decay=0.5)
    expected = network[0].weight.detach().clone()
    figures = network[1].running_mean.clone()
    for step in range(1, 30):
        with torch.no_grad():
            network[0].weight.add_(1.0)
            network[1].running_mean.add_(2.0)
        average.update(step)
        decay = min(0.5, step / (step + 10))
        expected = decay * expected + (1 - decay) * network[0].weight.detach()
        figures = decay * figures + (1 - decay) * network[1].running_mean
    now = network[0].weight.detach().clone()
    with average.applied():
        torch.testing.assert_close(network[0].weight.detach(), expected)
        torch.testing.assert_close(network[1].running_mean, figures)
    assert torch.equal(network[0].weight, now)
    assert set(average.state_dict()) == {
        "0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var",
    }  # fmt: skip
    with pytest.raises(CheckpointError, match="another model"):
        average.load_state_dict({"0.weight": now})
