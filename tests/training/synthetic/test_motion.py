"""What clips show: actions that go together, from neutral to apex, with nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emoclip_sdk.training.data.datasets.classes import MAFW_CLASSES, MAFW_COMPOUNDS
from emoclip_sdk.training.synthetic.actions import ACTION_UNITS, CLASS_ACTIONS, UNITS
from emoclip_sdk.training.synthetic.motion import draw_actions, expression


@pytest.mark.parametrize("label", MAFW_CLASSES + MAFW_COMPOUNDS)
def test_actions_of_a_clip_go_together(label: str) -> None:
    rng = np.random.default_rng(0)
    own = {action for part in label.split("_") for action in CLASS_ACTIONS[part]}
    for _ in range(30):
        visible = draw_actions(label, rng)
        for first, second in itertools.combinations(visible, 2):
            assert not ACTION_UNITS[first].slots & ACTION_UNITS[second].slots
        assert len([action for action in visible if action in own]) >= (
            1 if label == "neutral" else 2
        )
        assert len([action for action in visible if action not in own]) <= 1


def test_only_the_actions_move_the_face() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        motion = expression(("brows_down", "lips_tight"), 20, 1, rng)
        moved = {unit for unit, peak in zip(UNITS, motion.peaks, strict=True) if peak > 0}
        assert moved == {"AU4", "AU24"}
        at_rest, apex = motion.units[0], motion.units[motion.apex]
        assert at_rest.max() < 0.1
        assert apex[UNITS.index("AU4")] > 0.6
        assert apex[UNITS.index("AU24")] > 0.6


def test_a_swing_goes_to_and_fro() -> None:
    units = expression(("head_shake",), 40, 1, np.random.default_rng(0)).units
    left, right = (units[:, UNITS.index(unit)] > 0.3 for unit in ("AU51", "AU52"))
    assert left.any()
    assert right.any()
    assert not (left & right).any()


def test_every_action_is_met_in_every_class() -> None:
    """So a class that training never saw leaves no action behind that it never saw."""
    rng = np.random.default_rng(2)
    for left_out in ("happiness", "surprise", "sadness"):
        visible = {
            action
            for label in MAFW_CLASSES
            if label != left_out
            for _ in range(300)
            for action in draw_actions(label, rng)
        }
        assert set(CLASS_ACTIONS[left_out]) <= visible
