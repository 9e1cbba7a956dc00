"""The one switch that makes a run like the authors'."""

from __future__ import annotations

import pytest

from emoclip_sdk.training.cli.train import experiment_recipe
from emoclip_sdk.training.paper import read_settings
from emoclip_sdk.training.paper.reference import reference_settings


@pytest.mark.parametrize(
    ("command", "recipe", "dataset", "epochs", "batch", "milestones"),
    [  # the authors' scripts: experiments/*.sh; MultiStepLR in train*.py
        ("contrastive", "mafw-finetuned", "mafw", 30, 128, (15, 35)),
        ("contrastive", "mafw-frozen", "mafw", 30, 64, (15, 35)),
        ("supervised", "supervised", "dfew", 50, 128, (25, 50)),
        ("supervised", "supervised", "afew", 50, 64, (25, 50)),
        ("loco", "loco", "mafw", 25, 32, (25, 50)),
        ("loco", "loco", "ferv39k", 15, 128, (25, 50)),
        ("probe", "probe", "mafw", 30, 32, (15, 35)),
    ],
)
def test_reference(command, recipe, dataset, epochs, batch, milestones) -> None:
    over = reference_settings(command, dataset)
    settings = read_settings(experiment_recipe(command, recipe, None, None, over))
    optim, objective = settings.optim, settings.objective
    assert (optim.epochs, optim.batch_size, optim.milestones) == (epochs, batch, milestones)
    assert (settings.selection.split, settings.selection.figure) == ("test", "war")
    assert settings.model.sampling is not None
    assert (settings.model.sampling["stride"], settings.model.sampling["rate"]) == (4, 6.25)
    if command != "probe":
        assert (objective.positives, objective.negatives) == ("own", "local")
        assert objective.one_text
        assert settings.model.sampling["n_frames"] == 32  # the recipe's own stay


def test_what_is_set_by_hand_goes_over_the_reference() -> None:
    over = reference_settings("loco", "mafw")
    changes = ["selection.split=valid", "optim.epochs=2"]
    settings = read_settings(experiment_recipe("loco", "loco", changes, None, over))
    assert (settings.selection.split, settings.selection.figure) == ("valid", "war")
    assert settings.optim.epochs == 2 and settings.optim.batch_size == 32
