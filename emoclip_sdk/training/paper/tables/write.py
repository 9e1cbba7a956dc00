"""The report from end to end: measure, then write Markdown, HTML, CSV, JSON and Figure 3."""

from __future__ import annotations

import base64
import csv
import datetime
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .... import __version__
from ....errors import DatasetError, MissingDependencyError
from .bench import Bench
from .claims import measure_claim
from .figure3 import draw_panels, measure_panels, write_panels
from .published import published
from .tables import dataset_summary, fill_table

__all__ = ["render", "write_report"]

log = logging.getLogger(__name__)

_NOTHING, _MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
FIGURE_NAMES = {"uar": "UAR", "war": "WAR", "f1": "F1", "auc": "AUC"}


def write_report(
    bench: Bench, out: Path, ratings: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Measure what is there and write the report.

    Parameters
    ----------
    bench : Bench
    out : Path
        Folder: ``report.html``, ``report.md``, ``tables.json``, ``table_1.csv`` ...,
        ``recalls.csv``, ``confusions.csv``, ``figure3.csv``, ``figure3.png``.
    ratings : sequence of dict
        Tables V and VI, from :func:`emoclip_sdk.training.ness.tables.rating_tables`.

    Returns
    -------
    dict
        Content of ``tables.json``.

    Raises
    ------
    MissingDependencyError
        jinja2 or matplotlib is not installed. Nothing is measured then.
    DatasetError
        The folder can't be written.
    """
    _require()
    content = published()
    tables = [fill_table(bench, table) for table in content.tables]
    claims = [
        row
        for claim in content.claims
        if not claim.ours or bench.measures_ours(claim.more["model"])
        for row in measure_claim(bench, claim)
    ]
    panels, why = measure_panels(bench, content.figure_3)
    report: dict[str, Any] = {
        "source": content.source,
        "version": __version__,
        "date": datetime.date.today().isoformat(),
        "roots": str(bench.roots.path),
        "prompts": bench.roots.prompts,
        "draws": bench.draws,
        "reference": bench.reference,
        "datasets": dataset_summary(bench, content.tables),
        "models": [
            {"name": name, "what": kind.what, "given": _given(bench.roots.models.get(name))}
            for name, kind in content.models.items()
        ],
        "tables": tables,
        "claims": claims,
        "ratings": list(ratings),
        "figure_3": {
            "title": content.figure_3.title,
            "published": content.figure_3.explained_variance,
            "panels": [
                {
                    "model": panel.model,
                    "title": panel.title,
                    "n": len(panel.clips),
                    "explained": [100 * float(share) for share in panel.explained],
                }
                for panel in panels
            ],
            "why": why,
        },
    }
    picture = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        if panels:
            write_panels(panels, out / "figure3.csv")
            draw_panels(panels, out / "figure3.png")
            picture = base64.b64encode((out / "figure3.png").read_bytes()).decode()
        for table in tables:
            _write_csv(table, out / f"{table['id']}.csv")
        _write_classes(tables, out)
        for rating_table in ratings:
            _write_ratings(rating_table, out / f"{rating_table['id']}.csv")
        text = json.dumps(report, indent=2, ensure_ascii=False)
        (out / "tables.json").write_text(text + "\n", encoding="utf-8")
        (out / "report.md").write_text(render("report.md.j2", report), encoding="utf-8")
        page = render("report.html.j2", report, picture=picture)
        (out / "report.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{out}: the report can't be written ({error})") from error
    return report


def render(template: str, report: Mapping[str, Any], **more: Any) -> str:
    """Fill a template of this package with a report."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__ or "", "templates"),
        autoescape=template.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(number=_number, signed=_signed, cell=_cell, bar=_bar)
    environment.filters.update(row_name=_row_name, rating=_rating, note=_note)
    names = {"names": FIGURE_NAMES}
    return environment.get_template(template).render(**report, **names, **more)


def _require() -> None:
    for package in ("jinja2", "matplotlib", "torchmetrics"):
        try:
            __import__(package)
        except ImportError:
            raise MissingDependencyError(package, "train", "The report") from None


def _given(entry: str | Mapping[str, str] | None) -> str:
    if isinstance(entry, Mapping):
        return ", ".join(f"{dataset}: {where}" for dataset, where in entry.items())
    return entry or ""


def _write_csv(table: Mapping[str, Any], path: Path) -> None:
    """Write one row for each row of the table, dataset and figure."""
    keys = list(table["columns"])
    numbers = ("published", "measured", "low", "high", "difference")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*keys, "dataset", "figure", *numbers, "n", "folds", "why"])
        for part in table["parts"]:
            for row in part["rows"]:
                cells = [row["cells"].get(key, "") for key in keys]
                folds = " ".join(map(str, row["folds"]))
                for name, figure in row["figures"].items():
                    low, high = figure["interval"] or (None, None)
                    values = [figure["published"], figure["measured"], low, high]
                    printed = ["" if v is None else f"{v:g}" for v in values[:1]]
                    printed += [_plain(v) for v in (*values[1:], figure["difference"])]
                    n = row["n"] or ""
                    writer.writerow([*cells, part["dataset"], name, *printed, n, folds, _note(row)])


def _write_classes(tables: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write the recall of each class, and the confusions, of every measured row."""
    with (
        (out / "recalls.csv").open("w", encoding="utf-8", newline="") as recalls,
        (out / "confusions.csv").open("w", encoding="utf-8", newline="") as confusions,
    ):
        by_class, by_pair = csv.writer(recalls), csv.writer(confusions)
        by_class.writerow(["table", "dataset", "row", "class", "recall", "n"])
        by_pair.writerow(["table", "dataset", "row", "class", "predicted", "clips"])
        for table in tables:
            for part in table["parts"]:
                for row in part["rows"]:
                    if row["per_class"] is None:
                        continue
                    names = list(row["per_class"])
                    place = [table["id"], part["dataset"], _row_name(row, table["columns"])]
                    for name, figures in row["per_class"].items():
                        by_class.writerow([*place, name, _plain(figures["recall"]), figures["n"]])
                    for name, counts in zip(names, row["confusion"], strict=True):
                        for other, count in zip(names, counts, strict=True):
                            if count:
                                by_pair.writerow([*place, name, other, count])


def _write_ratings(table: Mapping[str, Any], path: Path) -> None:
    keys = ("mae", "rmse", "pcc")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        ends = [f"{key}_{end}" for key in keys for end in ("low", "high")]
        writer.writerow(["method", "measured", "score", *keys, *ends, "n", "why"])
        for row in table["rows"]:
            for score, figures in row["figures"].items():
                figures = figures or {}
                intervals = figures.get("intervals", {})
                limits = [x for key in keys for x in (intervals.get(key) or ("", ""))]
                values = [figures.get(key, "") for key in keys]
                n = figures.get("n", "")
                writer.writerow(
                    [row["method"], int(row["measured"]), score, *values, *limits, n, row["why"]]
                )


def _rating(figures: Mapping[str, Any] | None) -> str:
    """Write MAE / RMSE / PCC, the PCC with its interval where it has one."""
    if figures is None:
        return _NOTHING
    text = " / ".join(_number(figures[key]) for key in ("mae", "rmse", "pcc"))
    limits = figures.get("intervals", {}).get("pcc")
    return text if limits is None else f"{text} [{limits[0]:.2f}, {limits[1]:.2f}]"


def _note(row: Mapping[str, Any]) -> str:
    """Say what is missing of a row, and which of its test clips are not as they should be."""
    notes = ["; ".join(row["why"])] if row["why"] else []
    if n := row["unusable"]:
        count = "1 clip can't be read or shows" if n == 1 else f"{n} clips can't be read or show"
        notes.append(f"{count} no face: counted as wrong")
    if overlap := row["overlap"]:
        left = "nothing is left without them"
        if overlap["left"]:
            figures = [
                f"{FIGURE_NAMES[key]} {_number(value)}" for key, value in overlap["figures"].items()
            ]
            left = f"without them ({overlap['left']} clips): {', '.join(figures)}"
        notes.append(
            f"{overlap['n']} of {row['n']} test clips were met in training, "
            f"{overlap['selection']} chose the epoch; {left}"
        )
    return ". ".join(notes)


def _row_name(row: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """Name a row by its cells: the texts, and the headings of what is ticked."""
    cells = ((heading, row["cells"].get(key)) for key, heading in columns.items())
    return ", ".join(heading if cell is True else str(cell) for heading, cell in cells if cell)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _number(value: float | None, digits: int = 2) -> str:
    return _NOTHING if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    """Write a difference with its sign, and a true minus."""
    return _NOTHING if value is None else f"{value:+.2f}".replace("-", _MINUS)


def _cell(value: Any) -> str:
    """Write a cell of the paper: a tick for yes, nothing for no."""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return str(value) if value is not None else ""


def _bar(text: str) -> str:
    """Make text fit into a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
