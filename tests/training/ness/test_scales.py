"""Scales: what ships, and what a scale of one's own may get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness.scales import read_scales, shipped_scales

GOOD = """\
mine:
  title: My scale
  items:
    a: {title: First, range: [0, 2]}
    b: {range: [1, 5]}
  totals:
    both: {sums: [a, b]}
"""


def test_shipped_totals_span_what_their_items_span() -> None:
    scales = shipped_scales()
    totals = {s.name: s for scale in scales.values() for s in scale.scores if s.sums}
    # Kay et al. 1987: seven items from 1 to 7. Forbes et al. 2010: four items from 0 to 4.
    assert (totals["total_negative"].low, totals["total_negative"].high) == (7, 49)
    assert (totals["exp_total"].low, totals["exp_total"].high) == (0, 16)
    assert totals["total_negative"].divisor == 7 and totals["exp_total"].divisor == 4


def test_own_scale(tmp_path: Path) -> None:
    path = tmp_path / "scales.yaml"
    path.write_text(GOOD)
    mine = read_scales(path)["mine"]
    assert [(s.name, s.title, s.low, s.high) for s in mine.scores] == [
        ("a", "First", 0, 2), ("b", "b", 1, 5), ("both", "both", 1, 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 5]", "[5, 1]", "scales.yaml:5: mine.items.b needs a range [LOW, HIGH]"),
        ("sums: [a, b]", "sums: [a, c]", "scales.yaml:7: mine.totals.both sums c"),
        ("sums: [a, b]", "sums: [a, a]", "scales.yaml:7: mine.totals.both needs sums"),
        ("{title: First, r", "{titel: First, r", "scales.yaml:4: mine.items.a.titel is unknown"),
        ("    both:", "    a:", "scales.yaml:7: mine.totals.a is an item, too"),
        ("[0, 2]", "[0, 2", "scales.yaml:4: can't be read as YAML"),
        (GOOD, "", "scales.yaml:1: the file holds no scale"),
    ],
)
def test_mistakes_are_told_by_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "scales.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(DatasetError) as caught:
        read_scales(path)
    assert message in str(caught.value)
