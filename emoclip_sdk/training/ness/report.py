"""What a study leaves in its folder: tables, predictions, pictures, and the probe."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...assets import package_file
from ...errors import DatasetError
from ...probes.probe import PROBE_CONFIG_FILE, PROBE_KIND, PROBE_WEIGHTS_FILE
from ..engine.state import save_weights, write_text
from ..evaluation.bootstrap import LEVEL
from .card import probe_card
from .figures import RATING_FIGURES
from .perceptrons import Perceptrons
from .pictures import draw_scatter
from .study import StudyResult

__all__ = [
    "METHODS",
    "comparison",
    "published_experts",
    "published_rows",
    "published_title",
    "save_rating_probe",
    "write_study",
]

METHODS = {
    "probe": "EmoCLIP (LP), measured",
    "mean": "mean rating, measured",
    "ridge": "ridge on the mean of clips, measured",
    "svr": "SVR on the mean of clips, measured",
    "shuffled": "EmoCLIP (LP) on shuffled ratings",
}
_NOTHING = "\N{EN DASH}"


@cache
def _published() -> dict[str, Any]:
    path = package_file(__package__, "published.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def published_rows(scale: str) -> list[dict[str, Any]]:
    """Return the paper's rows for a scale: ``method`` and, by score, the published figures."""
    table = _published().get(scale)
    if table is None:
        return []
    return [
        {
            "method": row["method"],
            "measured": bool(row.get("measured")),
            "figures": {
                score: None if cell is None else dict(zip(RATING_FIGURES, cell, strict=True))
                for score, cell in zip(table["columns"], row["figures"], strict=True)
            },
        }
        for row in table["rows"]
    ]


def published_title(scale: str) -> str:
    """Return the name of the paper's table for a scale."""
    return str(_published()[scale]["title"])


def published_experts() -> float:
    """Return how far the raters of NESS agree: PCC, mean over all symptoms."""
    return float(_published()["experts"]["pcc"])


def comparison(result: StudyResult) -> list[tuple[str, dict[str, Any]]]:
    """Return (name, figures by score) of each row: the paper's, then what was measured."""
    rows = [
        (f"{row['method']}, published", row["figures"])
        for row in published_rows(result.study.scale.name)
    ]
    return rows + [(METHODS[name], figures) for name, figures in result.figures.items()]


def write_study(result: StudyResult, out: Path) -> None:
    """Write ``figures.json``, ``report.md``, ``table.csv``, ``predictions.csv``, ``scatter_*.png``.

    Raises
    ------
    DatasetError
        The folder can't be written.
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "figures.json", json.dumps(result.document, indent=2) + "\n")
        write_text(out / "report.md", _report(result))
        _write_table(result, out / "table.csv")
        _write_predictions(result, out / "predictions.csv")
        for score in result.study.scores:
            draw_scatter(result, score, out / f"scatter_{score.name}.png")
    except OSError as error:
        raise DatasetError(f"{out}: the results can't be written ({error})") from error


def _write_table(result: StudyResult, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        ends = [f"{figure}_{end}" for figure in RATING_FIGURES for end in ("low", "high")]
        writer.writerow(["method", "score", "n", *RATING_FIGURES, *ends])
        for name, figures in comparison(result):
            for score, row in figures.items():
                if row is None:
                    continue
                intervals = row.get("intervals", {})
                limits = [
                    x for figure in RATING_FIGURES for x in (intervals.get(figure) or ("", ""))
                ]
                values = [row[figure] for figure in RATING_FIGURES]
                writer.writerow([name, score, row.get("n", ""), *values, *limits])


def _write_predictions(result: StudyResult, path: Path) -> None:
    """Write a row for each interview and score; shuffled ratings tell nothing about a patient."""
    methods = [name for name in result.predictions if name != "shuffled"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient", "video", "fold", "score", "rating", *methods])
        for i, interview in enumerate(result.study.interviews):
            for j, score in enumerate(result.study.scores):
                values = [interview.ratings[j], *(result.predictions[m][i, j] for m in methods)]
                cells = ["" if np.isnan(value) else f"{value:.4g}" for value in values]
                writer.writerow(
                    [interview.patient, interview.id, result.fold_of[i], score.name, *cells]
                )


def _report(result: StudyResult) -> str:
    study, document = result.study, result.document
    rows = comparison(result)
    names = {score.name: score.title for score in study.scores}
    lines = [
        f"# {study.scale.title}: estimated from interviews",
        "",
        f"{document['interviews']} interviews of {document['patients']} patients, "
        f"{document['folds']} folds by patient. Cells: MAE / RMSE / PCC over interviews. "
        f"Published figures: {_published()['source']}. They are of other interviews than yours "
        "unless yours are NESS: beside each other they tell what is usual, not who is better.",
        "",
        f"| method | {' | '.join(names.values())} |",
        "| --- |" + " --- |" * len(names),
        *(
            f"| {method} | {' | '.join(_cell(figures.get(score)) for score in names)} |"
            for method, figures in rows
        ),
    ]
    if document["best_possible"]:
        best = [f"{_NOTHING} / {_NOTHING} / {x:.2f}" for x in document["best_possible"].values()]
        lines.append(f"| best possible in this generated study | {' | '.join(best)} |")
    lines += ["", f"## Intervals ({LEVEL:.0%}, bootstrap over patients)", ""]
    lines += ["| method | score | n | MAE | RMSE | PCC |", "| --- | --- | ---: | --- | --- | --- |"]
    lines += [
        f"| {METHODS[method]} | {names[score]} | {row['n']} | "
        + " | ".join(_with_interval(row, figure) for figure in RATING_FIGURES)
        + " |"
        for method, figures in result.figures.items()
        for score, row in figures.items()
    ]
    lines += [
        "",
        "The mean rating of the training patients falls when the test patient's rating is high: "
        "its PCC is far below 0 where one patient is left out. Shuffled ratings: the control, "
        "which should find nothing.",
        "",
        f"Raters of NESS agree with each other by a PCC of {published_experts():.2f}, as the paper "
        "says: the mean over all symptoms.",
        "",
        "For research. No diagnosis. The figures say nothing about patients of another kind.",
        "",
    ]
    return "\n".join(lines)


def _cell(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return _NOTHING
    return " / ".join(_number(figures[figure]) for figure in RATING_FIGURES)


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _with_interval(figures: dict[str, Any], figure: str) -> str:
    limits = figures["intervals"][figure]
    text = _number(figures[figure])
    return text if limits is None else f"{text} [{limits[0]:.2f}, {limits[1]:.2f}]"


def save_rating_probe(result: StudyResult, final: Perceptrons, out: Path) -> None:
    """Write the probe's folder: ``probe.json``, ``probe.safetensors``, ``README.md``.

    Raises
    ------
    CheckpointError
        It can't be written.
    """
    tail = (1 - LEVEL) / 2
    scores = []
    for j, score in enumerate(result.study.scores):
        errors = result.study.ratings[:, j] - result.predictions["probe"][:, j]
        errors = errors[~np.isnan(errors)]
        if not len(errors):
            raise DatasetError(f"{result.study.path}: no interview has a rating of {score.name}")
        scores.append(
            {
                "name": score.name,
                "title": score.title,
                "range": [score.low, score.high],
                "divisor": score.divisor,
                "errors": {
                    "n": len(errors),
                    "mae": float(np.abs(errors).mean()),
                    "interval": [float(x) for x in np.quantile(errors, [tail, 1 - tail])],
                },
            }
        )
    config = {
        "format_version": 1,
        "kind": PROBE_KIND,
        "scale": result.study.scale.title,
        "width": final.mean.shape[1],
        "hidden": final.hidden_weight.shape[2],
        "encoder": result.document["encoder"],
        "scores": scores,
    }
    save_weights(out / PROBE_WEIGHTS_FILE, final.state_of(0))
    write_text(out / "README.md", probe_card(result, scores))
    write_text(out / PROBE_CONFIG_FILE, json.dumps(config, indent=2) + "\n")
