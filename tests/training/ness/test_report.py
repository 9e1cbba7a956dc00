"""The paper's figures that stand beside what was measured."""

from __future__ import annotations

import pytest

from emoclip_sdk.training.ness.report import published_rows
from emoclip_sdk.training.ness.scales import shipped_scales


@pytest.mark.parametrize("name", ["panss", "cains"])
def test_published_figures_are_of_scores_that_exist(name: str) -> None:
    names = {score.name for score in shipped_scales()[name].scores}
    rows = published_rows(name)
    assert sum(row["measured"] for row in rows) == 1
    assert all(set(row["figures"]) <= names for row in rows)


def test_published_figures_are_the_papers() -> None:
    ours = {scale: published_rows(scale)[-1]["figures"] for scale in ("panss", "cains")}
    assert ours["panss"]["total_negative"] == {"mae": 2.31, "rmse": 3.01, "pcc": 0.85}
    assert ours["cains"]["facial_expression"] == {"mae": 0.49, "rmse": 0.65, "pcc": 0.77}
