"""The drawn face: every unit can be seen, one-sided ones on their side, and drawing repeats."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.synthetic.actions import UNITS
from emoclip_sdk.training.synthetic.face import draw_faces
from emoclip_sdk.training.synthetic.subject import Scene, Subject


def _person(seed: int = 3) -> tuple[Subject, Scene]:
    rng = np.random.default_rng(seed)
    return Subject.draw(rng), Scene.draw(rng, nuisance=0)


def test_every_unit_can_be_seen_at_64_pixels() -> None:
    person, scene = _person()
    pictures = draw_faces(np.vstack([np.zeros(len(UNITS)), np.eye(len(UNITS))]), person, scene, 64)
    change = np.abs(pictures[1:].astype(int) - pictures[0]).max(axis=3)
    visible = (change > 30).sum(axis=(1, 2))
    # AU25 parts the lips, AU38 widens the nostrils: a dozen pixels. Most change many more.
    assert not [(u, n) for u, n in zip(UNITS, visible.tolist(), strict=True) if n < 8]


@pytest.mark.parametrize("unit", ["U2", "U14"])
def test_one_sided_units_act_on_their_side(unit: str) -> None:
    person, scene = _person()
    units = np.zeros((2, len(UNITS)))
    units[1, UNITS.index(unit)] = 1
    halves = []
    for side in (-1, 1):
        turned = Scene(**{**vars(scene), "side": side})
        rest, acting = draw_faces(units, person, turned, 64).astype(int)
        change = np.abs(acting - rest).sum(axis=(0, 2))
        halves.append(change[:32].sum() > change[32:].sum())
    assert halves == [True, False]


@pytest.mark.parametrize("size", [32, 64, 112, 224])
def test_sizes_and_repetition(size: int) -> None:
    rng = np.random.default_rng(0)
    person, scene = Subject.draw(rng), Scene.draw(rng)
    units = rng.random((2, len(UNITS)))
    pictures = draw_faces(units, person, scene, size)
    assert pictures.shape == (2, size, size, 3)
    assert pictures.dtype == np.uint8
    assert np.array_equal(pictures, draw_faces(units, person, scene, size))
