"""Tables with what is there and without what isn't; nothing is measured twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.paper.tables import Request, bench, fill_table, published
from emoclip_sdk.training.paper.tables.loco import left_out_figures

from .conftest import small_clips

TABLES = {table.id: table for table in published().tables}


def test_without_anything_the_published_figures_stand_alone(make_bench) -> None:
    table = fill_table(make_bench("datasets: {}\n"), TABLES["table_4"])
    afew = table["parts"][1]
    assert afew["dataset"] == "afew"
    for row in afew["rows"]:
        assert row["why"] == ["no root for afew in roots.yaml"]
        assert row["folds"] == []
        assert row["figures"]["uar"]["measured"] is None
    assert afew["rows"][-1]["figures"]["war"]["published"] == 39.90


def test_folds_are_averaged_and_missing_ones_named(make_bench, tiny_checkpoint: Path) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    table = fill_table(made, TABLES["table_2"])
    rows = {row["cells"]["architecture"]: row for row in table["parts"][0]["rows"]}
    clip = rows["CLIP"]
    assert clip["folds"] == [1, 2] and clip["of_folds"] == 5
    assert clip["n"] == 44
    assert sorted(clip["why"]) == [
        f"fold {fold}: {made.roots.path.parent / 'M'}: no list of fold {fold}" for fold in (3, 4, 5)
    ]
    each = [
        100 * made.measure(Request("clip", "mafw", fold, frames="mean"))["uar"] for fold in (1, 2)
    ]
    uar = clip["figures"]["uar"]
    assert uar["measured"] == pytest.approx(np.mean(each))
    assert uar["difference"] == pytest.approx(uar["measured"] - 20.40)
    assert uar["interval"][0] <= uar["measured"] <= uar["interval"][1]
    assert rows["FaRL ViT-B/16"]["why"][0].endswith("no model farl in roots.yaml")
    assert rows["C3D"]["others"] and "work of others" in rows["C3D"]["why"][0]


def test_compounds_by_average_concatenation_and_majority(make_bench, tiny_checkpoint: Path) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    table = fill_table(made, TABLES["table_3"])
    rows = [row for row in table["parts"][0]["rows"] if row["folds"]]
    majority, concatenated, averaged = (row["figures"] for row in rows)
    assert majority["uar"]["measured"] == pytest.approx(100 / 43)
    assert majority["auc"]["measured"] == pytest.approx(50)
    assert all(0 <= averaged["auc"]["measured"] <= 100 for _ in rows)
    assert averaged != concatenated


def test_a_second_run_measures_nothing(
    make_bench, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n"
    first = fill_table(make_bench(roots), TABLES["table_1"])
    with monkeypatch.context() as patch:
        patch.setattr(bench.EmoCLIP, "from_pretrained", lambda *a, **k: pytest.fail("loaded"))
        again = make_bench(roots)
        assert fill_table(again, TABLES["table_1"]) == first
    # Another text for a class is another measurement; the weights were read for it.
    file = again.roots.path.parent / "own.yaml"
    classes = small_clips("mafw", Path()).classes
    file.write_text("\n".join(f"{name}: a face of {name}" for name in classes))
    other = make_bench(roots + "prompts: own.yaml\n")
    before = len(list(other.folder.iterdir()))
    other.measure(Request("clip", "mafw", frames="mean"))
    assert len(list(other.folder.iterdir())) == before + 1


def test_a_broken_measurement_is_made_again(
    make_bench, tiny_checkpoint: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    request = Request("clip", "mafw")
    found = made.measure(request)
    (path,) = made.folder.iterdir()
    path.write_text(path.read_text()[:100])  # the power went
    assert made.measure(request) == found
    assert "measured again" in caplog.text


def test_leave_one_class_out_from_its_decisions(tmp_path: Path) -> None:
    dataset = small_clips("dfew", Path())
    per_class = {name: {"n": 2, "taken for": {name: 1, "fear": 1}} for name in dataset.classes[:-1]}
    per_class["fear"] = {"n": 2, "taken for": {"anger": 1}}  # one clip shows no face
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"per_class": per_class}))
    found = left_out_figures(tmp_path, dataset.splits["test"], dataset.classes, draws=10)
    assert found["uar"] == found["war"] == pytest.approx(6 / 14)
    assert found["confusion"][0][-1] == 1
    assert found["auc"] is None
    per_class.pop("fear")
    path.write_text(json.dumps({"per_class": per_class}))
    with pytest.raises(Exception, match="other test clips"):
        left_out_figures(tmp_path, dataset.splits["test"], dataset.classes)


def test_a_probe_is_measured_on_its_encoder(make_bench, tiny_checkpoint: Path, tiny_model) -> None:
    from emoclip_sdk.training.paper.classifier import (
        Classifier,
        evaluate_classifier,
        save_classifier,
    )

    made = make_bench("datasets: {dfew: D}\nmodels: {probe: 'probe-{dataset}-{fold}'}\n")
    dataset = small_clips("dfew", Path())
    folder = made.roots.path.parent / "probe-dfew-1"
    save_classifier(folder, Classifier(tiny_model.encoder.width, 8, 7), dataset.classes, tiny_model)
    found = made.measure(Request("probe", "dfew"))
    expected = evaluate_classifier(folder, tiny_model, dataset)
    assert found["confusion"] == expected["confusion"]
    table = fill_table(made, TABLES["table_4"])
    row = table["parts"][0]["rows"][1]
    assert row["folds"] == [1]
    assert row["why"][0] == "fold 2: probe-dfew-{fold}: no such folder"
