"""Labels in an option and in files: lines of text, and tables with a column of labels."""

from __future__ import annotations

import csv
from pathlib import Path

from ..errors import PromptError
from ..prompts.labels import tidy

__all__ = ["read_labels", "split_labels"]

# Their lines would be taken for labels, brackets and separators included.
_NO_LISTS = frozenset((".json", ".jsonl", ".toml", ".xml", ".html", ".xlsx", ".parquet", ".md"))
_TABLES = frozenset((".csv", ".tsv"))
_LABEL, _DESCRIPTION = ("label", "labels", "name"), ("description", "descriptions", "text")


def split_labels(text: str) -> list[str]:
    """Split what ``--labels`` says at commas and semicolons."""
    return [part for raw in text.replace(";", ",").split(",") if (part := tidy(raw))]


def read_labels(file: Path) -> dict[str, list[str]]:
    """Read labels and, where a table has them, their descriptions.

    A text file has a label in each line; lines that begin with ``#`` are remarks. A line that is a
    list, separated by semicolons, is as many labels. A table has a column ``label`` and may have a
    column ``description``, with a row for each description; or it is a single column or row.

    Raises
    ------
    PromptError
        The file can't be read, holds no label, or is a table in which none is found.
    """
    kind = file.suffix.lower()
    if kind in _NO_LISTS:
        raise PromptError(
            f"{file}: is no list of labels. Write one label per line into a .txt file, "
            "a column 'label' into a .csv file, or 'name: description' into a .yaml file"
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file}: can't be read as UTF-8 text ({error})") from error
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    if kind in _TABLES:
        labels = _from_table(file, lines)
    else:
        labels = {label: [] for line in lines for part in line.split(";") if (label := tidy(part))}
    if not labels:
        raise PromptError(f"{file}: holds no label")
    return labels


def _from_table(file: Path, lines: list[str]) -> dict[str, list[str]]:
    head = lines[0] if lines else ""
    separator = max("\t;,", key=head.count)
    try:
        rows = [[tidy(cell) for cell in row] for row in csv.reader(lines, delimiter=separator)]
    except csv.Error as error:
        raise PromptError(f"{file}: is no CSV ({error})") from error
    names = [name.casefold() for name in rows[0]] if rows else []
    column = next((i for i, name in enumerate(names) if name in _LABEL), None)
    if column is None:
        if len(rows) > 1 and any(len(row) > 1 for row in rows):
            raise PromptError(
                f"{file}: has several columns and none is called 'label'. Its first row is "
                f"{', '.join(rows[0])}"
            )
        return {cell: [] for row in rows for cell in row if cell}
    described = next((i for i, name in enumerate(names) if name in _DESCRIPTION), None)
    labels: dict[str, list[str]] = {}
    for row in rows[1:]:
        if len(row) > column and row[column]:
            texts = labels.setdefault(row[column], [])
            if described is not None and len(row) > described and row[described]:
                texts.append(row[described])
    return labels
