"""Figures of a leave-one-class-out experiment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoclip_sdk.training.paper.tables.loco import left_out_figures

from .conftest import small_clips


def test_leave_one_class_out_from_its_decisions(tmp_path: Path) -> None:
    dataset = small_clips("dfew", Path())
    per_class = {name: {"n": 2, "taken for": {name: 1, "fear": 1}} for name in dataset.classes[:-1]}
    per_class["fear"] = {"n": 2, "taken for": {"anger": 1}}  # one clip shows no face
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"per_class": per_class}))
    result = left_out_figures(tmp_path, dataset.splits["test"], dataset.classes, draws=10)
    assert result["uar"] == result["war"] == pytest.approx(6 / 14)
    assert result["confusion"][0][-1] == 1
    assert result["auc"] is None
    fear = per_class.pop("fear")
    path.write_text(json.dumps({"per_class": per_class}))
    with pytest.raises(Exception, match=r"6 of 7 classes; fear not done.*loco\.classes"):
        left_out_figures(tmp_path, dataset.splits["test"], dataset.classes)
    per_class["fear"] = {**fear, "n": 3}
    path.write_text(json.dumps({"per_class": per_class}))
    with pytest.raises(Exception, match="other test clips"):
        left_out_figures(tmp_path, dataset.splits["test"], dataset.classes)
