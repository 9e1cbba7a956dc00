"""A study as a whole: what is planted is found, and the control finds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.ness.study import run_study

from .conftest import loaded


def test_planted_relation_is_found_and_shuffled_ratings_are_not(
    planted: Path, recipe: dict[str, Any]
) -> None:
    study, clips = loaded(planted)
    result = run_study(study, clips, recipe, draws=50)
    assert len(result.folds) == 12
    pcc = {name: figures["total_negative"]["pcc"] for name, figures in result.figures.items()}
    # A dozen patients; the full study of 69 is in docs/ness.md.
    assert pcc["probe"] > 0.8
    assert pcc["shuffled"] < 0.4
    assert pcc["mean"] < -0.5
    best = result.document["best_possible"]
    assert best["total_negative"] > 0.9 and best["n1_blunted_affect"] > 0.75
    totals = result.predictions["probe"][:, -1]
    assert totals.min() >= 7 and totals.max() <= 49
    assert np.ptp(totals) > 7  # scaled back


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("optim", "epochs", 0, "epochs can't be 0"),
        ("probe", "crop", 1.5, "crop can't be 1.5"),
        ("probe", "depth", 2, "do not fit"),
        ("baselines", "ridge", {"alpha": 1}, "'baselines.ridge' does not fit"),
    ],
)
def test_recipes_that_make_no_sense(
    planted: Path, recipe: dict[str, Any], section: str, key: str, value: Any, message: str
) -> None:
    recipe["optim"]["epochs"] = 1
    recipe[section][key] = value
    study, clips = loaded(planted)
    with pytest.raises(EmoCLIPError) as caught:
        run_study(study, clips, recipe, k=3, control=False, draws=0)
    assert message in str(caught.value)
