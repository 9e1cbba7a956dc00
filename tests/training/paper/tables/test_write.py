"""The report as a reader gets it."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

from emoclip_sdk.training.ness.tables import rating_tables
from emoclip_sdk.training.paper.tables import published, write_report


class _Cells(HTMLParser):
    """Collects the text of table cells, and what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loads: list[str] = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        self.inside = tag in ("td", "th")
        if self.inside:
            self.cells.append("")
        self.loads += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data.strip()


def test_report(make_bench, tiny_checkpoint: Path, tmp_path: Path) -> None:
    roots = f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n"
    out = tmp_path / "report"
    report = write_report(make_bench(roots), out, rating_tables({}))
    assert json.loads((out / "tables.json").read_text()) == report

    page = _Cells()
    page.feed((out / "report.html").read_text())
    markdown = (out / "report.md").read_text()
    assert all(address.startswith("data:image/png;base64,") for address in page.loads)
    for table in published().tables:
        for row in table.rows:
            for figures in row.published.values():
                for value in figures.values():
                    assert f"{value:.2f}" in page.cells
                    assert f"| {value:.2f} |" in markdown
    measured = report["tables"][0]["parts"][0]["rows"][0]["figures"]["uar"]
    assert f"{measured['measured']:.2f}" in "".join(page.cells)
    for absent in ("no root for afew in roots.yaml", "EmoCLIP: no model emoclip in roots.yaml"):
        assert absent in (out / "report.html").read_text()
        assert absent in markdown
    # These are two clips a class, and not MAFW.
    assert "not the datasets of the paper" in (out / "report.html").read_text()

    with (out / "table_4.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * 4 * 2
    assert {row["published"] for row in rows if row["dataset"] == "afew"} >= {"44.32", "39.9"}
    # The experts' agreement stands beside the totals' PCC of the paper.
    assert "by a PCC of 0.85" in markdown and "2.31 / 3.01 / 0.85" in markdown
    assert "0.49 / 0.65 / 0.77" in page.cells
    with (out / "table_6.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 5 and rows[-1]["measured"] == "1" and "no study" in rows[-1]["why"]
    with (out / "recalls.csv").open() as file:
        recalls = [row for row in csv.DictReader(file) if row["table"] == "table_1"]
    assert len(recalls) == 4 * 11 and {row["n"] for row in recalls} == {"4"}
    with (out / "confusions.csv").open() as file:
        assert sum(int(r["clips"]) for r in csv.DictReader(file) if r["table"] == "table_1") == 176
    with (out / "figure3.csv").open() as file:
        points = list(csv.DictReader(file))
    assert len(points) == 22 and points[0]["class"] == "anger"
    assert (out / "figure3.png").read_bytes().startswith(b"\x89PNG")
