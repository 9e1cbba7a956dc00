"""Tables V and VI: published figures for interviews beside those of studies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DatasetError
from .figures import RATING_FIGURES
from .report import published_experts, published_rows, published_title
from .scales import shipped_scales

__all__ = ["rating_tables"]

_ENTRY = "table_{}"
_NUMBERS = {"panss": 5, "cains": 6}


def rating_tables(studies: Mapping[str, Mapping[str, Path]]) -> list[dict[str, Any]]:
    """Put measured rows under the published ones.

    Parameters
    ----------
    studies : mapping of str to mapping of str to Path
        Per scale the folders that ``emoclip-train ness`` wrote, by the name of their row.

    Returns
    -------
    list of dict
        JSON types, one for each table: ``id``, ``title``, ``columns`` (title by score), ``experts``
        (the raters' mean PCC, published) and ``rows`` with ``method``, ``measured``, ``figures`` by
        score (``mae``, ``rmse``, ``pcc``; measured ones with ``n`` and ``intervals``; None: not
        there), ``about`` (measured: patients, interviews and encoder) and ``why``.

    Raises
    ------
    DatasetError
        A folder holds figures of another scale, or none that can be read.
    """
    tables = []
    for name, number in _NUMBERS.items():
        titles = {score.name: score.title for score in shipped_scales()[name].scores}
        published = published_rows(name)
        columns = {score: titles[score] for score in published[0]["figures"]}
        rows: list[dict[str, Any]] = [
            {
                "method": row["method"],
                "measured": False,
                "figures": row["figures"],
                "about": "",
                "why": "",
            }
            for row in published
        ]
        for label, folder in studies.get(name, {}).items():
            rows.append(_measured(name, label, folder, list(columns)))
        if not studies.get(name):
            rows.append(
                {
                    "method": "EmoCLIP (LP), measured",
                    "measured": True,
                    "figures": dict.fromkeys(columns),
                    "about": "",
                    "why": f"no study of {name} in the roots file: emoclip-train ness makes it",
                }
            )
        tables.append(
            {
                "id": _ENTRY.format(number),
                "title": f"{published_title(name)}. {shipped_scales()[name].title}",
                "columns": columns,
                "experts": published_experts(),
                "rows": rows,
            }
        )
    return tables


def _measured(scale: str, label: str, folder: Path, columns: list[str]) -> dict[str, Any]:
    path = folder / "figures.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = document["scale"]
        probe = document["figures"]["probe"]
        keys = (*RATING_FIGURES, "n", "intervals")
        figures = {
            score: {key: probe[score][key] for key in keys} if score in probe else None
            for score in columns
        }
        about = f"{document['patients']} patients, {document['interviews']} interviews"
        encoder = document.get("encoder") or {}
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: no such file. Name the folder that 'emoclip-train ness' wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not the figures of a study ({error!r})") from error
    if found != scale:
        raise DatasetError(f"{path}: is about the scale {found}, not {scale}")
    name = encoder.get("name") if isinstance(encoder, dict) else encoder
    return {
        "method": label,
        "measured": True,
        "figures": figures,
        "about": f"{about}, encoder {name}" if name else about,
        "why": "",
    }
