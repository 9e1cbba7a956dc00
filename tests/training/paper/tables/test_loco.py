"""Figures of a leave-one-class-out experiment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.evaluation import measure
from emoclip_sdk.training.paper.tables.loco import left_out_figures

from .conftest import small_clips


def test_leave_one_class_out_from_its_decisions(tmp_path: Path) -> None:
    dataset = small_clips("dfew", Path())
    test = dataset.splits["test"]
    per_class = {}
    for label, name in enumerate(dataset.classes):
        first, second = (clip.id for clip in test if clip.label == label)
        per_class[name] = {"decisions": {first: name, second: "fear"}}
    first, second = per_class["fear"]["decisions"]
    per_class["fear"]["decisions"] = {first: "anger", second: None}  # one shows no face
    path = tmp_path / "metrics.json"

    def figures(rows: dict) -> dict:
        path.write_text(json.dumps({"per_class": rows}))
        return left_out_figures(tmp_path, test, dataset.classes, draws=10)

    result = figures(per_class)
    assert result["uar"] == result["war"] == pytest.approx(6 / 14)
    assert result["confusion"][0][-1] == 1
    assert result["auc"] is None and result["unusable"] == [second]
    # In the order of the clips, as every other measurement: their draws can be compared.
    labels = np.array([clip.label for clip in test])
    one_hot = np.eye(7)[labels]
    one_hot[7:] = np.eye(7)[-1]
    one_hot[6], one_hot[13] = np.eye(7)[3], np.nan
    again = measure(one_hot, labels, dataset.classes, draws=10)
    assert result["bootstrap"]["draws"]["war"] == again["bootstrap"]["draws"]["war"]

    with pytest.raises(Exception, match=r"6 of 7 classes; fear not done.*loco\.classes"):
        figures({name: row for name, row in per_class.items() if name != "fear"})
    with pytest.raises(Exception, match="other test clips"):
        figures({**per_class, "fear": {"decisions": {"someone": "anger"}}})
