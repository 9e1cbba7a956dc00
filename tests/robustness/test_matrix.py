"""The matrix of containers, codecs, orientations, starts, rates and colors."""

from __future__ import annotations

import pytest

from .matrix import COLORS, KINDS, ORIENTATIONS, RATES, STARTS, check, combinations

ALL = combinations(240)
FAST = 20


@pytest.mark.parametrize("cell", ALL[:FAST], ids=str)
def test_a_combination(cell, tmp_path) -> None:
    outcome = check(cell, tmp_path)
    assert outcome.right, outcome


@pytest.mark.slow
@pytest.mark.parametrize("cell", ALL[FAST:], ids=str)
def test_one_more_combination(cell, tmp_path) -> None:
    outcome = check(cell, tmp_path)
    assert outcome.right, outcome


def test_every_value_comes_up() -> None:
    assert len(set(ALL)) == len(ALL) == 240
    assert {cell.kind for cell in ALL[:FAST]} == set(KINDS)
    for values, field in (
        (ORIENTATIONS, "orientation"),
        (STARTS, "start"),
        (RATES, "rate"),
        (COLORS, "color"),
    ):
        assert {getattr(cell, field) for cell in ALL} == set(values)
