"""Figures of the suite into a checkpoint folder: model card, picture, JSON. Never the weights."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ....checkpoints import EMBEDDED, embedded_folder, model_card
from ....checkpoints.folder import CARD_FILE, CONFIG_FILE, FIGURES_FILE, PICTURE_FILE
from ....checkpoints.measured import split_title
from ....config import ModelConfig
from ....errors import CheckpointError
from .failures import failures
from .picture import Confusion, draw_confusions

__all__ = ["local_folder", "writable_folder", "write_card"]


def local_folder(name: str | None) -> Path | None:
    """Return the checkpoint folder that a model's name means; None: it is on the Hub."""
    if name is None or (name in ("embedded", EMBEDDED) and not Path(name).exists()):
        return embedded_folder()
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else None


def writable_folder(name: str | None) -> Path:
    """Return the checkpoint folder whose card may be written.

    Raises
    ------
    CheckpointError
        The model lives on the Hub, or its folder can't be written.
    """
    folder = local_folder(name)
    if folder is None:
        raise CheckpointError(
            f"{name}: a card is written into a checkpoint folder, and this is none. Download or "
            "save the model to a folder first: EmoCLIP.from_pretrained(...).save_pretrained(FOLDER)"
        )
    paths = (folder, folder / CONFIG_FILE)
    if not all(os.access(path, os.W_OK) for path in paths):
        raise CheckpointError(
            f"{folder}: can't be written, so its card stays as it is. Copy the folder, and name "
            "the copy with --model"
        )
    return folder


def write_card(folder: Path, document: dict[str, Any]) -> None:
    """Put the figures of one split of a dataset into a checkpoint's card.

    ``config.json`` keeps, under ``info.card`` and by split, what the model card prints; the card
    (``README.md``) is generated from it. ``card.json`` holds the whole documents, ``confusion.png``
    the confusion matrices, of FER+ that of test where it was measured. Figures of other splits and
    datasets stay, unless they are of other weights.

    Parameters
    ----------
    folder : Path
        From :func:`writable_folder`.
    document : dict
        From :func:`~emoclip_sdk.training.evaluation.card.card_suite`.

    Raises
    ------
    CheckpointError
        The folder is no checkpoint or can't be written.
    """
    config = ModelConfig.from_json_file(folder / CONFIG_FILE)
    documents = {**_others(folder, document["weights"]), document["split"]: document}
    documents = {name: documents[name] for name in sorted(documents, key=_place)}
    summaries = {name: _summary(entry) for name, entry in documents.items()}
    config = dataclasses.replace(config, info={**config.info, "card": summaries})
    card = model_card(
        config, config.info.get("metrics"), config.info.get("training"), picture=PICTURE_FILE
    )
    model_name = config.info.get("name", folder.name)
    matrices = [
        Confusion(
            f"{model_name}, {split_title(name)}", _confusion(entry), entry["classes"]
        ).ordered(config.prompts.labels)
        for name, entry in documents.items()
        if name != "valid" or "test" not in documents
    ]
    try:
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as temporary:
            staged = Path(temporary)
            draw_confusions(matrices, staged / PICTURE_FILE)
            texts = {
                CONFIG_FILE: config.to_json(),
                CARD_FILE: card,
                FIGURES_FILE: json.dumps(documents, indent=1, ensure_ascii=False) + "\n",
            }
            for name, text in texts.items():
                (staged / name).write_text(text, encoding="utf-8")
            for name in (PICTURE_FILE, *texts):
                os.replace(staged / name, folder / name)
    except OSError as error:
        raise CheckpointError(f"{folder}: the card can't be written ({error})") from error


def _place(name: str) -> tuple[int, str]:
    """Return where a split stands in a card: FER+'s first, of these test."""
    return (("test", "valid").index(name) if name in ("test", "valid") else 2, name)


def _confusion(document: dict[str, Any]) -> list[list[int]]:
    counts: list[list[int]] = next(
        row["confusion"] for row in document["rows"] if row["key"] == "accuracy"
    )
    return counts


def _others(folder: Path, weights: str | None) -> dict[str, Any]:
    """Return the stored documents that are about the same weights."""
    try:
        stored = json.loads((folder / FIGURES_FILE).read_text(encoding="utf-8"))
        return {
            name: document for name, document in stored.items() if document["weights"] == weights
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # none yet, or not ours: replaced


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    keep = ("key", "figure", "values", "goal", "met", "n", "how", "per_class")
    return {
        **{key: document[key] for key in ("command", "emoclip_sdk") if key in document},
        "rows": [{key: row[key] for key in keep if key in row} for row in document["rows"]],
        "failures": failures(document),
    }
