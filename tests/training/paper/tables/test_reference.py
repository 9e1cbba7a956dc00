"""From a dataset as it is released to the report, all of it as the authors do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from emoclip_sdk.training.cli import app
from emoclip_sdk.training.synthetic import make_synthetic

from ..conftest import tiny_recipe


def _emoclip_train(*arguments: Any) -> None:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_tables_from_the_release(tmp_path: Path) -> None:
    root = tmp_path / "MAFW"
    make_synthetic(
        "mafw", root, clips_per_class=5, size=32, frames=(3, 20), subjects=10, compounds=5,
        as_released=True,
    )  # fmt: skip
    shared = ("--root", root, "--reference", "--device", "cpu")
    for name, experiment, frozen in (
        ("emoclip", "contrastive", False),
        ("supervised", "supervised", True),
        ("loco", "loco", True),
        ("probe", "probe", True),
    ):
        recipe = tiny_recipe(experiment, frozen=frozen)
        recipe["model"]["temporal"]["max_positions"] = 16
        recipe["optim"]["milestones"] = [1]
        recipe["selection"] = {"split": "valid"}
        if experiment == "probe":
            recipe["model"] = {"start": str(tmp_path / "supervised-mafw-1")}
            recipe.pop("objective")
        if experiment in ("supervised", "loco"):
            recipe["objective"]["texts"] = "descriptions"
        if experiment == "loco":
            recipe["loco"] = {"classes": ["fear"]}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
        out = tmp_path / (name + "-1" if name == "emoclip" else name + "-mafw-1")
        changes = ("--set", "optim.epochs=1", "--set", "optim.batch_size=8")
        _emoclip_train(
            experiment, *shared, "-o", out, "--recipe", tmp_path / f"{name}.yaml", *changes
        )
        run = tmp_path / (out.name + "-run") / ("fear" if experiment == "loco" else "")
        kept = yaml.safe_load((run / "recipe.yaml").read_text())
        assert kept["selection"] == {"split": "test", "figure": "war"}
    for run in ("emoclip-1-run", "loco-mafw-1-run"):
        metrics = json.loads((tmp_path / run / "metrics.json").read_text())
        assert list(metrics["left out"]) == ["00002"]  # the broken clip
    (tmp_path / "roots.yaml").write_text(
        "datasets: {mafw: MAFW}\n"
        "models:\n"
        "  clip: emoclip-1\n"
        "  emoclip: emoclip-{fold}\n"
        "  supervised: supervised-{dataset}-{fold}\n"
        "  probe: probe-{dataset}-{fold}\n"
        "  loco: loco-{dataset}-{fold}\n"
    )
    out = tmp_path / "report"
    _emoclip_train(
        "tables", "--roots", tmp_path / "roots.yaml", "-o", out, "--reference", "--draws", "20",
        "--device", "cpu",
    )  # fmt: skip
    report = json.loads((out / "tables.json").read_text())
    rows = {
        (table["id"], row["cells"]["architecture"], row["cells"].get("average")): row
        for table in report["tables"]
        for part in table["parts"]
        for row in part["rows"]
        if part["dataset"] == "mafw" and row["folds"]
    }
    # Compound fold 1 tests what single fold 1 trained on: that is said, and left out beside it.
    table_3 = rows["table_3", "EmoCLIP", True]
    assert 0 < table_3["overlap"]["n"] <= table_3["n"]
    assert table_3["overlap"]["left"] == table_3["n"] - table_3["overlap"]["n"]
    # The epoch was chosen on the test fold, and that is said, too.
    table_2 = rows["table_2", "EmoCLIP", None]
    assert (table_2["overlap"]["n"], table_2["overlap"]["selection"]) == (0, 11)
    assert ("table_2", "EmoCLIP (LP)", None) in rows
    text = (out / "report.md").read_text()
    assert "Measured as the authors do" in text
    assert "leaves out 1 of 11 classes" in text
