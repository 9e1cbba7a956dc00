"""Two rows compared clip by clip."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.paper.tables import fill_table, published
from emoclip_sdk.training.paper.tables.claims import measure_claim
from emoclip_sdk.training.paper.tables.published import Claim

from .conftest import small_clips

TABLES = {table.id: table for table in published().tables}


def test_the_published_differences_are_those_of_the_tables() -> None:
    rows: dict = {}
    for table in published().tables:
        for row in table.rows:
            for dataset in table.datasets if row.measure else ():
                key = (table.task, dataset, *sorted(row.measure.items()))
                # Table IV prints some figures of MAFW with other digits than Table II.
                rows.setdefault(key, row.published[dataset])
    for claim in published().claims:
        for dataset, figures in () if claim.ours else claim.published.items():
            more, than = (
                rows[(claim.task, dataset, *sorted(side.items()))]
                for side in (claim.more, claim.than)
            )
            for key, value in figures.items():
                assert value == pytest.approx(more[key] - than[key], abs=0.006), claim.claim


def test_a_row_against_itself_and_another(make_bench, tiny_checkpoint: Path) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    mean, middle = {"model": "clip", "frames": "mean"}, {"model": "clip", "frames": "middle"}
    published_difference = {"mafw": {"uar": 1.0, "war": 1.0}}
    (same,) = measure_claim(made, Claim("same", mean, mean, published_difference))
    assert same["folds"] == [1, 2] and same["figures"]["uar"]["interval"] == [0, 0]
    assert same["figures"]["uar"]["holds"] is None
    (row,) = measure_claim(made, Claim("other", mean, middle, published_difference))
    expected = np.mean(
        [
            made.measure(made.requests("mafw", "single", mean)[fold])["war"]
            - made.measure(made.requests("mafw", "single", middle)[fold])["war"]
            for fold in (1, 2)
        ]
    )
    assert row["figures"]["war"]["measured"] == pytest.approx(100 * expected)
    (absent,) = measure_claim(
        made, Claim("absent", {"model": "emoclip"}, mean, published_difference)
    )
    assert absent["why"][0] == "no model emoclip in roots.yaml" and not absent["folds"]


def test_a_dataset_without_folds_meets_the_model_of_each_fold(
    make_bench, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    for fold in (1, 3):
        shutil.copytree(tiny_checkpoint, tmp_path / f"emoclip-{fold}")
    made = make_bench("datasets: {afew: A, dfew: D}\nmodels: {emoclip: 'emoclip-{fold}'}\n")
    afew = fill_table(made, TABLES["table_4"])["parts"][1]
    row = afew["rows"][-1]
    clips = len(small_clips("afew", tmp_path).splits["test"])
    assert row["folds"] == [1, 3] and row["of_folds"] == 5 and row["n"] == clips
    assert row["why"] == ["fold 2, 4, 5: emoclip-{fold}: no such folder"]
    # Both are the same weights.
    assert row["per_class"]["anger"]["n"] == 2 * sum(
        clip.label == 0 for clip in small_clips("afew", tmp_path).splits["test"]
    )
    assert np.sum(row["confusion"]) == 2 * clips
