"""The paper's tables with our figures beside the published ones, as plain data."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....errors import EmoCLIPError
from ...data.datasets import DATASETS, Problem
from ...evaluation import mean_of_folds
from .bench import Bench
from .published import PublishedRow, Table
from .roots import MissingInput

__all__ = ["dataset_summary", "fill_table"]

log = logging.getLogger(__name__)

_OTHERS = "work of others, quoted by the paper; not measured here"


def fill_table(bench: Bench, table: Table) -> dict[str, Any]:
    """Measure what can be measured of a table.

    Returns
    -------
    dict
        JSON types: ``id``, ``title``, ``note``, ``columns`` (headings by key), ``figures`` and
        ``parts``, one for each dataset, with ``dataset``, ``title`` and ``rows``. A row has
        ``cells``; ``figures`` with ``published``, ``measured``, ``interval`` and ``difference``
        of each, in percent or None; ``n``, clips over all measured folds; ``overlap``, on how many
        of them (``n``) the models were trained, how many chose the epoch (``selection``), and the
        ``figures`` without them (None: none, or it isn't known); ``per_class``, ``recall`` and
        ``n`` by class over all folds, and ``confusion``, counts with a row for each true class
        (both None where nothing is measured); ``folds``; ``why``, sentences on what is missing;
        ``others``, whether it is other people's work, and ``ours``, whether the paper doesn't have
        it: such rows are there where their model is, and not beside a reference.
    """
    ours = [row for row in table.ours if bench.measures_ours(row.measure["model"])]
    return {
        "id": table.id,
        "title": table.title,
        "note": table.note,
        "columns": dict(table.columns),
        "figures": list(table.figures),
        "parts": [
            {
                "dataset": name,
                "title": DATASETS[name].title,
                "rows": [
                    *(_row(bench, table, name, row) for row in table.rows),
                    *({**_row(bench, table, name, row), "ours": True} for row in ours),
                ],
            }
            for name in table.datasets
        ],
    }


def _row(bench: Bench, table: Table, dataset: str, row: PublishedRow) -> dict[str, Any]:
    measured: list[tuple[int, dict[str, Any]]] = []
    why: dict[str, list[int]] = {}
    requests = bench.requests(dataset, table.task, row.measure) if row.measure else {}
    folds = tuple(requests)
    for fold, request in requests.items():
        try:
            figures = bench.measure(request)
        except (MissingInput, EmoCLIPError) as reason:
            why.setdefault(str(reason), []).append(fold)
            continue
        log.info(
            "%s, %s fold %d, %s: UAR %.2f, WAR %.2f",
            table.id,
            dataset,
            fold,
            ", ".join(map(str, row.measure.values())),
            100 * figures["uar"],
            100 * figures["war"],
        )
        measured.append((fold, figures))
    published = row.published.get(dataset, {})
    same_clips = any(request.model_fold for request in requests.values())
    counts = [figures["n"] for _, figures in measured]
    return {
        "cells": dict(row.cells),
        "figures": {
            key: _figure(key, published.get(key), [figures for _, figures in measured])
            for key in table.figures
        },
        "n": max(counts, default=0) if same_clips else sum(counts),
        "unusable": sum(len(figures["unusable"]) for _, figures in measured),
        "overlap": _overlap(table, [figures for _, figures in measured]),
        "per_class": _per_class([figures for _, figures in measured]),
        "confusion": _confusion([figures for _, figures in measured]),
        "folds": [fold for fold, _ in measured],
        "of_folds": len(folds),
        "others": not row.measure,
        "ours": False,
        "why": [_sentence(reason, missing, folds) for reason, missing in why.items()]
        if row.measure
        else [_OTHERS],
    }


def _overlap(table: Table, folds: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Sum up which test clips the models of the folds have met, and what is left."""
    known = [fold["overlap"] for fold in folds if fold["overlap"]]
    n, selection = (sum(overlap[key] for overlap in known) for key in ("n", "selection"))
    if not n + selection:
        return None
    # A fold without overlap is as it is.
    clean = [
        fold["overlap"]["without"]
        if fold["overlap"] and fold["overlap"]["n"] + fold["overlap"]["selection"]
        else fold
        for fold in folds
    ]
    left = [fold for fold in clean if fold is not None]
    return {
        "n": n,
        "selection": selection,
        "left": sum(fold["n"] for fold in left),
        "figures": {key: _figure(key, None, left)["measured"] for key in table.figures},
    }


def _per_class(folds: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]] | None:
    if not folds:
        return None
    totals = {}
    for name in folds[0]["per_class"]:
        rows = [fold["per_class"][name] for fold in folds]
        n = sum(row["n"] for row in rows)
        hits = sum(row["recall"] * row["n"] for row in rows if row["n"])
        totals[name] = {"recall": hits / n if n else None, "n": n}
    return totals


def _confusion(folds: Sequence[dict[str, Any]]) -> list[list[int]] | None:
    if not folds:
        return None
    return np.sum([fold["confusion"] for fold in folds], axis=0).tolist()


def _figure(key: str, published: float | None, folds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average a figure over folds and compare it, all in percent."""
    values = [100 * fold[key] for fold in folds if fold[key] is not None]
    measured = sum(values) / len(values) if values else None
    interval = None
    if measured is not None:
        interval = mean_of_folds([fold["bootstrap"]["draws"].get(key, []) for fold in folds])
    return {
        "published": published,
        "measured": measured,
        "interval": None if interval is None else [100 * bound for bound in interval],
        "difference": None if measured is None or published is None else measured - published,
    }


def _sentence(reason: str, missing: Sequence[int], folds: Sequence[int]) -> str:
    if len(missing) == len(folds):
        return reason
    return f"fold {', '.join(map(str, missing))}: {reason}"


def dataset_summary(bench: Bench, tables: Sequence[Table]) -> list[dict[str, Any]]:
    """Say what lies under the datasets that the tables name.

    Returns
    -------
    list of dict
        ``name``, ``title``, ``root`` (None: not given), ``note``, and per task and fold ``sets``
        with ``train`` and ``test`` clips, the number of ``problems`` and ``complete``: whether
        the numbers of clips are the published ones.
    """
    summary = []
    for name in dict.fromkeys(name for table in tables for name in table.datasets):
        root = bench.roots.datasets.get(name)
        sets = []
        tasks = dict.fromkeys(table.task for table in tables if name in table.datasets)
        for task in tasks if root is not None else ():
            for fold in DATASETS[name].folds:
                about: dict[str, Any] = {"task": task, "fold": fold}
                try:
                    dataset = bench.dataset(name, fold, task)
                except EmoCLIPError as error:
                    sets.append({**about, "error": str(error)})
                    continue
                counts = {key: len(clips) for key, clips in dataset.splits.items()}
                off = [p for p in dataset.problems if p.kind == "unexpected count"]
                sets.append(
                    {
                        **about,
                        "train": counts.get("train", 0) + counts.get("valid", 0),
                        "test": counts.get("test", 0),
                        "problems": len(dataset.problems),
                        "complete": not off,
                        "off": _short(off[0]) if off else "",
                    }
                )
        info = DATASETS[name]
        summary.append(
            {
                "name": name,
                "title": info.title,
                "root": None if root is None else str(root),
                "note": info.note,
                "sets": sets,
            }
        )
    return summary


def _short(problem: Problem) -> str:
    """Return the split and its numbers, without those of each class."""
    split = problem.where.rpartition(", ")[2]
    return f"{split}: {problem.what.partition(':')[0]}"
