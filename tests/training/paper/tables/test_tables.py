"""Tables with what is there and without what isn't; nothing is measured twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.data.trained_on import TrainedOn
from emoclip_sdk.training.paper.tables import Request, fill_table, published, write_report

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


def test_test_clips_of_training_are_counted(make_bench, tiny_checkpoint: Path, tmp_path) -> None:
    clips = small_clips("mafw", tmp_path).splits["test"]
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "clip"))
    TrainedOn.of("mafw", clips[:6], clips[6:10]).write(folder)
    made = make_bench("datasets: {mafw: M}\nmodels: {clip: clip}\n")
    table = fill_table(made, TABLES["table_2"])
    row = next(row for row in table["parts"][0]["rows"] if row["folds"])
    # Fold 1 loses ten clips, fold 2 none.
    assert (row["overlap"]["n"], row["overlap"]["selection"]) == (6, 4)
    assert row["overlap"]["left"] == row["n"] - 10
    without = [
        fold["overlap"]["without"] or fold
        for fold in (made.measure(Request("clip", "mafw", i, frames="mean")) for i in (1, 2))
    ]
    expected = 100 * np.mean([fold["uar"] for fold in without])
    assert row["overlap"]["figures"]["uar"] == pytest.approx(expected)
    report = write_report(made, tmp_path / "out")
    assert report["tables"][1]["parts"][0]["rows"] == table["parts"][0]["rows"]
    for name in ("report.md", "report.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "no list of fold 5. 6 of 44 test clips were met in training, 4 chose the" in text
        assert "chose the epoch; without them (34 clips): UAR" in text
    assert "6 of 44 test clips were met" in (tmp_path / "out" / "table_2.csv").read_text()


def test_compounds_by_average_concatenation_and_majority(make_bench, tiny_checkpoint: Path) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    table = fill_table(made, TABLES["table_3"])
    rows = [row for row in table["parts"][0]["rows"] if row["folds"]]
    majority, concatenated, averaged = (row["figures"] for row in rows)
    assert majority["uar"]["measured"] == pytest.approx(100 / 43)
    assert majority["auc"]["measured"] == pytest.approx(50)
    assert all(0 <= averaged["auc"]["measured"] <= 100 for _ in rows)
    assert averaged != concatenated


def test_rows_of_ours_stand_where_their_model_is_and_beside_no_reference(
    make_bench, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    plain = make_bench(f"datasets: {{mafw: M}}\nmodels: {{emoclip: {tiny_checkpoint}}}\n")
    rows = fill_table(plain, TABLES["table_2"])["parts"][0]["rows"]
    assert not any(row["ours"] for row in rows) and len(rows) == 10
    both = f"emoclip: {tiny_checkpoint}, emoclip_landmarks: {tiny_checkpoint}"
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{{both}}}\n")
    report = write_report(made, tmp_path / "out")
    for table in report["tables"]:
        theirs, ours = (
            [row for row in table["parts"][-1]["rows"] if row["ours"] == mine]
            for mine in (False, True)
        )
        assert len(ours) == 1 and ours[0]["cells"]["architecture"].endswith("(ours)")
        assert ours[0]["folds"] == [1] and table["parts"][-1]["rows"][-1] == ours[0]
        for figure in ours[0]["figures"].values():
            assert figure["published"] is None and figure["difference"] is None
        # It is the same model, so the row of the paper beside it has the same figures.
        same = next(row for row in reversed(theirs) if row["folds"])
        measured = [{k: f["measured"] for k, f in r["figures"].items()} for r in (same, ours[0])]
        assert measured[0] == measured[1]
    claim = next(row for row in report["claims"] if row["claim"].startswith("Landmarks"))
    assert claim["dataset"] == "dfew"
    claim = next(row for row in report["claims"][::-1] if row["claim"].startswith("Landmarks"))
    assert claim["figures"]["uar"] == {
        "published": None, "measured": 0.0, "interval": [0.0, 0.0], "holds": None,
    }  # fmt: skip
    for name in ("report.md", "report.html"):
        assert "(ours): not in the paper." in (tmp_path / "out" / name).read_text()
    made.reference = True
    rows = fill_table(made, TABLES["table_2"])["parts"][0]["rows"]
    assert not any(row["ours"] for row in rows)
