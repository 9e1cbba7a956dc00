"""The file of published figures against the paper's tables."""

from __future__ import annotations

from pathlib import Path

import yaml

from emoclip_sdk.training.data.datasets import DATASETS
from emoclip_sdk.training.evaluation import FIGURES
from emoclip_sdk.training.paper.tables import published

KEYS = (
    "table_1_ablation_mafw11",
    "table_2_mafw11",
    "table_3_mafw43_compound",
    "table_4_datasets",
)


def test_figures_are_those_of_the_paper(shared: Path) -> None:
    paper = yaml.safe_load((shared / "paper" / "tables.yaml").read_text(encoding="utf-8"))
    for key, table in zip(KEYS, published().tables, strict=True):
        visible = [
            [row.published[d][f] for d in table.datasets for f in table.figures]
            for row in table.rows
        ]
        n = len(visible[0])
        assert visible == [row[-n:] for row in paper[key]["rows"]], key
        names = [str(row.cells["architecture"]) for row in table.rows]
        column = paper[key]["columns"].index("architecture")
        assert names == [row[column] for row in paper[key]["rows"]]


def test_what_is_measured_exists() -> None:
    for table in published().tables:
        assert set(table.datasets) <= set(DATASETS)
        assert set(table.figures) <= set(FIGURES)
        for row in table.rows:
            assert set(row.cells) <= set(table.columns)
            if row.measure:
                assert row.measure["model"] in {*published().models, "majority"}
